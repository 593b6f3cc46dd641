"""Text with nothing hidden in it: what a reader sees is what stands there.

Control characters would break Word's XML, direction overrides can make a sentence read backwards,
and invisible characters hide words from a search. They are dropped from what is shown; the quote
in the JSON report and the contract itself stay as they are.
"""

import re

_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\ufffe\uffff]|[\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """The text without control, direction and invisible characters."""
    return _HIDDEN.sub("", text)
