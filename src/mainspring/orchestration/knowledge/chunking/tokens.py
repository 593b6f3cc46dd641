"""`estimate_tokens`: how many tokens a text has, about, without a tokenizer."""

import re

_PIECE = re.compile(r"[^\W_]+|[^\w\s]|_+")
_CHARACTERS_PER_TOKEN = 4


def estimate_tokens(text: str) -> int:
    """Tokens of a text, about; 0 only where there is nothing but blanks."""
    return max(len(_PIECE.findall(text)), len(text.strip()) // _CHARACTERS_PER_TOKEN)
