"""What reads as a heading: capitals, titles in title case, and the words before a clause's first stop.

"4.2 Limitation of Liability. Neither party ..." carries its heading in the line; contracts
do that more often than not, so the run-in heading counts like one that stands alone.
"""

import re

_HEADING_LENGTH = 110
_RUN_IN_LENGTH = 90
_SMALL_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "and",
        "or",
        "in",
        "on",
        "to",
        "for",
        "by",
        "with",
        "at",
        "from",
        "as",
        "per",
        "vs",
        "no",
        "und",
        "der",
        "die",
        "das",
        "von",
        "zu",
        "für",
        "et",
        "de",
        "du",
        "des",
        "la",
        "le",
        "les",
        "y",
        "el",
        "los",
        "las",
        "e",
        "i",
        "il",
        "van",
        "en",
        "het",
        "do",
        "da",
        "dos",
        "das",
    ]
)
_FIELD = re.compile(
    r"(?i)(?:by|name|title|date|dated|its|signature|signed|address|attention|attn|fax|tel|telephone|email|e-mail|to|from|re|cc|page)\s*[:.]|/s/|_{3,}"
)
_WORD = re.compile(r"[^\W\d_][^\s]*")
_RUN_IN_END = re.compile(r"[.:;](?=\s)|\s[-–—]\s|\.[-–—]|[.:]$|\s{2,}|\n")
_NUMBERISH = re.compile(r"[$€£%]|\d{2,}")


def is_capitals(text: str) -> bool:
    """Whether the line is written in capitals, as main headings are."""
    letters = [letter for letter in text if letter.isalpha()]
    return len(letters) >= 3 and sum(letter.isupper() for letter in letters) >= 0.9 * len(letters)


def is_title_case(text: str) -> bool:
    """Whether every word but the small ones starts with a capital."""
    words = _WORD.findall(text)
    heavy = [word for word in words if word.lower() not in _SMALL_WORDS]
    return bool(heavy) and words[0][0].isupper() and all(word[0].isupper() for word in heavy)


def reads_as_heading(text: str, *, numbered: bool = False, emphasised: bool = False) -> bool:
    """Whether a paragraph (without its number) is a heading rather than a sentence."""
    text = text.strip()
    if not text:
        return numbered
    if len(text) > _HEADING_LENGTH or text.count("\n") > 1 or _FIELD.search(text):
        return False
    words = len(text.split())
    if is_capitals(text):
        return words <= 16 and (numbered or (words <= 12 and text[-1] not in ",;"))
    if text[-1] in ",;" or (not numbered and (":" in text or _NUMBERISH.search(text))):
        return False
    if not numbered and not text[0].isalnum():
        return False
    titled = is_title_case(text)
    if numbered:
        return words <= 14 and (titled or (text[-1] not in ".;,:" and words <= 6 and text[0].isupper()))
    return text[-1] not in ".!?" and words <= 10 and (titled or (emphasised and text[0].isupper()))


def run_in_heading(text: str) -> str | None:
    """The heading that a numbered paragraph (without its number) opens with, None when it has none."""
    head = text.lstrip()[: _RUN_IN_LENGTH + 1]
    found = _RUN_IN_END.search(head)
    if not found or found.start() == 0:
        return None
    heading = head[: found.start()].strip(" \"“”'*_")
    if not heading or len(heading.split()) > 10 or _FIELD.match(heading + ":"):
        return None
    return heading if is_capitals(heading) or is_title_case(heading) else None
