"""Write console/openapi.json from the running API, for the console's generated client.

python -m tools.write_openapi        starts a throwaway system, asks it, stops it
"""

import json
import tempfile
from pathlib import Path

import httpx

from tests.stack import run_stack

TARGET = Path(__file__).resolve().parents[1] / "console" / "openapi.json"


def canonical(description: object) -> str:
    """The description as it is stored: sorted, indented, ending with a line feed."""
    return json.dumps(description, indent=1, sort_keys=True) + "\n"


def main() -> None:
    """Ask a throwaway system and write the file."""
    with tempfile.TemporaryDirectory() as folder, run_stack(Path(folder)) as running:
        TARGET.write_text(canonical(httpx.get(f"{running.url}/openapi.json").json()))
    print(f"wrote {TARGET.name}")


if __name__ == "__main__":
    main()
