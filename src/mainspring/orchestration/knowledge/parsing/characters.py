"""Which characters a document's text may hold: those that a reader sees.

Control characters, marks of writing direction, zero-width characters and Unicode's tags
are not among them: they break searching and quoting, and instructions hide in them.
"""

import re

_LINE_ENDS = (0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029)
_CONTROLS = {*range(32), *range(127, 160)} - {0x09, *_LINE_ENDS}
_UNSEEN = {
    0xAD,
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    0xFEFF,
    *range(0xFFF9, 0xFFFC),
    0xFFFE,
    0xFFFF,
    *range(0xE0000, 0xE0080),
}
_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}
_CLEANED = dict.fromkeys(_CONTROLS | _UNSEEN) | _LIGATURES
_BLANKED = dict.fromkeys(_CONTROLS | _UNSEEN | {0xA0}, " ") | dict.fromkeys(_LINE_ENDS, "\n")
_SPACES = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f\u205f\u3000]+")
_BREAKS = re.compile(r" ?[\r\n\v\f\u2028\u2029\x85]+ ?")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def clean(text: str) -> str:
    """`text` with what is unseen taken out, runs of blanks as one space, ligatures spelled out."""
    text = _SURROGATES.sub("\ufffd", text.translate(_CLEANED))
    return _BREAKS.sub("\n", _SPACES.sub(" ", text)).strip()


def blank_out(text: str) -> str:
    """`text` with every unseen character as a blank and every kind of line end as \\n: the length stays.

    A line end of two characters must have become one before.
    """
    return text.translate(_BLANKED)
