"""The reference page of permissions says what the code does."""

from pathlib import Path

from mainspring.application.identity import ROLE_PERMISSIONS, Role

PAGE = Path(__file__).parents[3] / "docs/reference/permissions.md"


def test_the_table_in_the_docs_is_the_table_in_the_code():
    documented = {role: set[str]() for role in Role}
    for row in (line for line in PAGE.read_text().splitlines() if line.startswith("| `")):
        permission, _, *held = (cell.strip() for cell in row.split("|")[1:-1])
        for role, cell in zip(Role, held, strict=True):
            if cell == "yes":
                documented[role].add(permission.strip("`"))
    assert documented == {role: set(permissions) for role, permissions in ROLE_PERMISSIONS.items()}
