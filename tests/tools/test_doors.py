"""The import contract on doors: who may enter a room, and by which of its modules."""

import pytest
from grimp import ImportGraph

from tools.lint.doors import DoorsContract


@pytest.mark.parametrize(
    ("importer", "imported", "is_kept"),
    [
        ("house.entry.api", "house.lower.gateway", True),
        ("house.entry.api", "house.lower.gateway.routes", True),
        ("house.entry.api", "house.lower.gateway.server", True),
        ("house.entry.api", "house.lower.gateway.server.http", True),
        ("house.entry.api", "house.lower.prompts.server", False),
        ("house.entry.api", "house.lower.gateway.store", False),
        ("house.upper.agents.service", "house.lower.gateway.types", True),
        ("house.upper.agents.service", "house.lower.gateway.server", False),
        ("house.upper.agents.service", "house.lower.gateway.routes", False),
        ("house.lower.gateway.service", "house.lower.gateway.store", True),
        ("house.kit", "house.lower.gateway.testing", True),
        ("house.kit", "house.lower.gateway.store", False),
        ("house.entry.api", "house.lower.gateway.testing", False),
    ],
)
def test_a_room_is_entered_by_its_doors_only(importer: str, imported: str, is_kept: bool):
    graph = ImportGraph()
    for room in ("gateway", "prompts"):
        for name in ("", ".types", ".routes", ".server", ".server.http", ".store", ".service", ".testing"):
            graph.add_module(f"house.lower.{room}{name}")
    for module in ("house", "house.lower", "house.upper", "house.upper.agents", "house.entry", "house.kit"):
        graph.add_module(module)
    for module in ("house.entry.api", "house.upper.agents.service"):
        graph.add_module(module)
    graph.add_import(importer=importer, imported=imported)
    options = {
        "tiers": ["house.lower", "house.upper"],
        "public": ["types"],
        "entry": "house.entry",
        "kit": "house.kit",
        "entry_doors": ["routes", "gateway.server"],
    }
    contract = DoorsContract("doors", {"root_package": "house"}, options)
    assert contract.check(graph, verbose=False).kept is is_kept
