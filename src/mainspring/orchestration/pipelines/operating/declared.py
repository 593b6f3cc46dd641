"""The pipelines that this process knows, by name and version, and which of them a caller may start by name.

What a pipeline of the platform is given may name objects and documents that nobody checked the caller's rights to. So
only pipelines that say that any input of their type is harmless are started, scheduled or replayed with a changed
input from outside; every run may be retried, and replayed as it was.
"""

import re
from collections.abc import Collection, Sequence

import msgspec

from mainspring.foundation.errors import Forbidden, InvalidInput
from mainspring.orchestration.pipelines.codec import decode
from mainspring.orchestration.pipelines.errors import PayloadRefused
from mainspring.orchestration.pipelines.pipeline import Pipeline

from .errors import PipelineUnknown


class Declared:
    """Pipelines by name and version.

    startable  names of those that callers may start with an input of their own
    """

    def __init__(self, pipelines: Sequence[Pipeline], *, startable: Collection[str] = ()) -> None:
        self._versions: dict[str, dict[int, Pipeline]] = {}
        for pipeline in pipelines:
            self._versions.setdefault(pipeline.name, {})[pipeline.version] = pipeline
        self._startable = frozenset(startable)

    @property
    def pipelines(self) -> tuple[Pipeline, ...]:
        """Every version, by name, the newest first."""
        named = sorted(self._versions.items())
        return tuple(versions[version] for _, versions in named for version in sorted(versions, reverse=True))

    def find(self, name: str, version: int | None = None) -> Pipeline | None:
        """The pipeline of that version, or the newest of that name; None when it is not declared here."""
        versions = self._versions.get(name, {})
        return versions.get(max(versions, default=0) if version is None else version)

    def get(self, name: str, version: int | None = None) -> Pipeline:
        """As `find`; PipelineUnknown says what there is."""
        found = self.find(name, version)
        if found is None:
            wanted = f"{name[:100]!r}" if version is None else f"{name[:100]!r} in version {version}"
            known = sorted(self._versions.get(name, {}))
            there = f"it has {', '.join(map(str, known))}" if known else "GET /v1/pipelines lists what there is"
            raise PipelineUnknown(f"There is no pipeline {wanted}; {there}.")
        return found

    def can_start(self, name: str) -> bool:
        """Whether callers may start it with an input of their own."""
        return name in self._startable

    def require_start(self, name: str) -> None:
        """Forbidden unless callers may start it with an input of their own."""
        if not self.can_start(name):
            raise Forbidden(
                f"The pipeline {name} is started by the platform only: what it is given is not checked against your "
                "rights. Use the route of its product."
            )


_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def read_input(pipeline: Pipeline, text: bytes | str) -> object:
    """The input of a pipeline behind JSON text; InvalidInput says what does not fit its type."""
    kinds = [step.input_type for step in pipeline.steps if not step.after and not step.each]
    given = text.encode() if isinstance(text, str) else text
    try:
        values = [decode(given.decode(), kind) for kind in kinds]
    except (PayloadRefused, UnicodeDecodeError) as unfit:
        reason = str(unfit.__cause__ or unfit)
        if "truncated" in reason and _SURROGATE.search(given):  # what the decoder says of one that has no other half
            reason = "a string has half of a surrogate pair, which is no character"
        raise InvalidInput(
            f"The input does not fit {pipeline.name}@{pipeline.version}: {reason[:300]}. "
            "Its JSON Schema is in GET /v1/pipelines."
        ) from None
    return values[0] if len(set(kinds)) == 1 else _read_any(pipeline, given)


def _read_any(pipeline: Pipeline, given: bytes) -> msgspec.Raw:
    """The input as it came, where the first steps each take of it what they need."""
    try:
        msgspec.json.decode(given)
    except msgspec.DecodeError as bad:
        raise InvalidInput(f"The input of {pipeline.name} is not JSON: {bad}.") from None
    return msgspec.Raw(given)
