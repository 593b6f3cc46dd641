"""Reading documents: bytes in, text with its structure out."""

from .bounded import parse_bounded
from .headings import run_in_heading
from .limits import ParseLimits
from .markers import without_number
from .read import PARSER_VERSION, inspect, parse
from .refusals import shown

__all__ = [
    "PARSER_VERSION",
    "ParseLimits",
    "inspect",
    "parse",
    "parse_bounded",
    "run_in_heading",
    "shown",
    "without_number",
]
