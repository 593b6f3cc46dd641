"""The title of a document, guessed from how it begins."""

import re

from mainspring.orchestration.knowledge.types import Block, BlockKind

from .pieces import Piece, PieceKind

_NAMES_A_DOCUMENT = re.compile(
    r"(?i)\b(?:agreement|contract|addendum|amendment|terms|lease|licen[cs]e|deed|nda|policy|statement of work|"
    r"order form|letter|memorandum|plan|charter|power of attorney|vertrag|\w*vereinbarung|\w*vertrag|\w*bedingungen|"
    r"contrat|accord|conditions|contrato|acuerdo|contratto|accordo|overeenkomst|acordo)\b"
)
_NOT_A_TITLE = re.compile(
    r"(?i)(?:exhibit|annex|schedule|appendix|confidential|draft|final|page|source|this is a translation|"
    r"contract no|agreement n|recitals|table of contents|between|the parties|for purposes|as used)\b"
)
_PREFIX = re.compile(r"(?i)\A(?:(?:exhibit|ex-)\s*[\d.\-]+[a-z]?\s+|execution copy\s+|\(translation\)\s+)+")
_LEADING_CAPITALS = re.compile(r"(?:[A-ZÀ-Ý][A-ZÀ-Ý&,'’\-/()]*[ ]){1,11}[A-ZÀ-Ý][A-ZÀ-Ý&'’\-/()]+(?=\s|[.,:]|$)")
_OPENING_WORDS = re.compile(r"\s*\bTHIS\b.*")
_RULE = re.compile(r"\s*[-_=*]{4,}\s*")
_BLOCKS_LOOKED_AT = 25
_TITLE_LENGTH = 160


def guess_title(text: str, pieces: tuple[Piece, ...], blocks: tuple[Block, ...]) -> str | None:
    """The title as one line; None where nothing at the beginning reads like one."""
    for piece in pieces[:_BLOCKS_LOOKED_AT]:
        if piece.kind is PieceKind.TITLE:
            return _line(text[piece.start : piece.end])
    first = [block for block in blocks[:_BLOCKS_LOOKED_AT] if block.kind is not BlockKind.FURNITURE]
    lines = [_line(text[block.start : block.end]) for block in first if not (block.number or "x")[0].isdigit()]
    for line in lines:
        if _names_a_document(line):
            return line
    for line in lines[:4]:
        if (capitals := _leading_capitals(line)) is not None:
            return capitals
    unnumbered = (block for block in first if block.kind is BlockKind.HEADING and block.number is None)
    headings = (_line(text[block.start : block.end]) for block in unnumbered)
    return next((line for line in headings if _may_be_title(line)), None)


def _names_a_document(line: str) -> bool:
    return _may_be_title(line) and bool(_NAMES_A_DOCUMENT.search(line)) and line[-1] != ":"


def _may_be_title(line: str) -> bool:
    is_short = 3 <= len(line) <= _TITLE_LENGTH and len(line.split()) <= 16 and line.count(",") < 3
    return is_short and line[0].isupper() and line[-1] not in ".;," and not _NOT_A_TITLE.match(line)


def _leading_capitals(line: str) -> str | None:
    found = _LEADING_CAPITALS.match(line)
    if not found or not _NAMES_A_DOCUMENT.search(found.group()):
        return None
    return _OPENING_WORDS.sub("", found.group()).strip(" ,.:") or None


def _line(text: str) -> str:
    return _PREFIX.sub("", _RULE.sub(" ", " ".join(text.split())).strip())
