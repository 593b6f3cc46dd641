"""Which characters bytes mean, where the file itself may say so: web pages and mail.

Only encodings that stand for a script are taken at their word. Python knows others by
name, some of which cost quadratic time.
"""

import codecs
import re

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_KNOWN = re.compile(
    r"(?:utf-8|utf-16(?:-[lb]e)?|ascii|iso8859-\d{1,2}|cp(?:125\d|437|850|852|866|932|949|950|874)|koi8-[rut]|"
    r"shift_jis|euc_jp|iso2022_jp|gb2312|gbk|gb18030|big5|euc_kr|mac-roman)\Z"
)
_AS_WINDOWS = {"ascii": "cp1252", "iso8859-1": "cp1252"}  # as browsers read them: nobody means the control characters
_GUESSED = "Its characters are not UTF-8 and it does not say what they are; it was read as Windows-1252."


def decode(content: bytes, declared: str | None) -> tuple[str, tuple[str, ...]]:
    """The text of the bytes, and warnings: byte order mark first, then what is declared, UTF-8, Windows-1252."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, errors="replace"), ()
    known = _known(declared)
    try:
        return content.decode(known or "utf-8"), ()
    except UnicodeDecodeError:
        pass
    if known is not None and known != "utf-8":
        return content.decode(known, errors="replace"), (f"Some of its characters are not {known}, which it declares.",)
    return content.decode("cp1252", errors="replace"), (_GUESSED,)


def _known(declared: str | None) -> str | None:
    if not declared:
        return None
    try:
        name = codecs.lookup(declared.strip().strip("\"'")[:40]).name
    except (LookupError, ValueError):  # ValueError: a name with a NUL in it
        return None
    return _AS_WINDOWS.get(name, name) if _KNOWN.match(name) else None
