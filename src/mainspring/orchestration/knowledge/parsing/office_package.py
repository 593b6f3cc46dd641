"""The parts of an Office file and what points to what, once its archive is known to be harmless.

Only parts inside the archive are followed; a relation to the outside is not even kept.
"""

import io
import posixpath
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from lxml.etree import LxmlError

from .archive import DAMAGE, check_archive
from .limits import ParseLimits
from .media_types import MediaType
from .refusals import broken
from .xml_tree import Element, read_xml, xml_refusal


@dataclass(frozen=True, slots=True)
class Relation:
    """From one part to another: the last word of its type, such as `worksheet`, and the name of the part."""

    kind: str
    target: str


@dataclass(frozen=True, slots=True)
class Package:
    """An Office file whose parts were all unpacked once within the limits. Names of parts ignore case."""

    filename: str
    media_type: MediaType
    archive: zipfile.ZipFile
    names: Mapping[str, str]

    def find(self, part: str) -> bytes | None:
        """The bytes of a part, None where there is no such part."""
        name = self.names.get(part.lower())
        if name is None:
            return None
        try:
            return self.archive.read(name)
        except DAMAGE as error:
            raise self.broken("its archive is damaged") from error

    def xml(self, part: str) -> Element | None:
        """The root element of a part, None where there is no such part; raises BrokenDocument, TooComplex."""
        content = self.find(part)
        if content is None:
            return None
        try:
            return read_xml(content)
        except LxmlError as error:
            raise xml_refusal(error, self.filename, self.media_type.looks) from error

    def relations(self, part: str) -> dict[str, Relation]:
        """What a part points to, by the id it uses, inside the archive."""
        folder, name = posixpath.split(part)
        root = self.xml(posixpath.join(folder, "_rels", f"{name}.rels"))
        found: dict[str, Relation] = {}
        for entry in root if root is not None else ():
            if entry.get("TargetMode", "") != "External" and entry.get("Target", ""):
                target = posixpath.normpath(posixpath.join("/", folder, unquote(entry.get("Target", ""))))
                found[entry.get("Id", "")] = Relation(entry.get("Type", "").rsplit("/", 1)[-1], target.lstrip("/"))
        return found

    def related(self, part: str, kind: str) -> str | None:
        """The name of the first part that `part` points to by a relation of this kind."""
        relations = self.relations(part).values()
        return next((relation.target for relation in relations if relation.kind == kind), None)

    def main_part(self) -> str:
        """The part that the file opens with; raises BrokenDocument."""
        part = self.related("", "officeDocument")
        if part is None or part.lower() not in self.names:
            raise self.broken("its parts do not fit together")
        return part

    def title(self) -> str | None:
        """The title among the file's properties, None where it has none."""
        part = self.related("", "core-properties")
        root = self.xml(part) if part is not None else None
        found = root.find("{http://purl.org/dc/elements/1.1/}title") if root is not None else None
        return " ".join((found.text or "").split()) or None if found is not None else None

    def broken(self, why: str) -> Exception:
        """The refusal for a damaged file."""
        return broken(self.filename, self.media_type.looks, why)


def open_package(content: bytes, media_type: MediaType, *, filename: str, limits: ParseLimits) -> Package:
    """The parts of an Office file; raises what `check_archive` raises."""
    check_archive(content, filename=filename, limits=limits)
    archive = zipfile.ZipFile(io.BytesIO(content))
    return Package(filename, media_type, archive, {name.lower(): name for name in archive.namelist()})
