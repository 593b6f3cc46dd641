"""What a cut depends on, as one short string: the same fingerprint, the same chunks."""

import hashlib

import msgspec

from mainspring.orchestration.knowledge.chunking import chunker_version
from mainspring.orchestration.knowledge.parsing import PARSER_VERSION

from .setup import Setup


def fingerprint(setup: Setup, document_type: str) -> str:
    """64 hexadecimal digits of the parser's version, the chunker's version and its settings for this type."""
    chunking = setup.chunking_of(document_type)
    parts = (PARSER_VERSION, chunker_version(chunking), chunking)
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


def needs_rebuild(old: Setup, new: Setup) -> bool:
    """Whether documents indexed under `old` are found under `new` only by a new index.

    So it is when the embedding model is another one, or documents of any type are cut in another way.
    """
    if old.embedding_model != new.embedding_model:
        return True
    return any(fingerprint(old, each) != fingerprint(new, each) for each in {*old.chunking, *new.chunking})
