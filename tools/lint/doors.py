"""An import-linter contract: a domain is entered through its doors only.

A module outside a domain may import the domain package itself or one of its `public` modules;
modules under `entry` may also import its `entry_doors`: a name opens that door of every domain,
`<domain>.<name>` of one alone; the `kit` for tests may import the fakes, each domain's `testing`.
The message says which door to use.
"""

from collections.abc import Iterator
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class DoorsContract(Contract):
    """Fails for each import that climbs in through a window."""

    type_name = "doors"
    # import-linter replaces each field by what the configuration says before `check` runs.
    tiers: list[str] = cast(list[str], fields.ListField(subfield=fields.StringField()))
    public: set[str] = cast(set[str], fields.SetField(subfield=fields.StringField()))
    entry: str = cast(str, fields.StringField())
    entry_doors: set[str] = cast(set[str], fields.SetField(subfield=fields.StringField()))
    kit: str | None = cast(str | None, fields.StringField(required=False))

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Walk every module of every domain and collect who imports it past the doors."""
        windows = [
            f"{importer} -> {module}"
            for tier in self.tiers
            for domain in sorted(graph.find_children(tier))
            for importer, module in self._imports_from_outside(graph, domain)
            if not self._is_allowed(importer, domain, module.removeprefix(domain + ".").split(".")[0])
        ]
        return ContractCheck(kept=not windows, metadata={"windows": windows})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """One line for each import, with the way out."""
        for line in check.metadata["windows"]:
            output.print_error(f"- {line}: import the room itself, or its types, events or errors")

    def _imports_from_outside(self, graph: ImportGraph, domain: str) -> Iterator[tuple[str, str]]:
        for module in sorted(graph.find_descendants(domain)):
            for importer in sorted(graph.find_modules_that_directly_import(module)):
                if importer != domain and not importer.startswith(domain + "."):
                    yield importer, module

    def _is_allowed(self, importer: str, domain: str, door: str) -> bool:
        own_door = f"{domain.rpartition('.')[2]}.{door}"
        return (
            door in self.public
            or (_is_in(importer, self.entry) and not self.entry_doors.isdisjoint((door, own_door)))
            or (self.kit is not None and _is_in(importer, self.kit) and door == "testing")
        )


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
