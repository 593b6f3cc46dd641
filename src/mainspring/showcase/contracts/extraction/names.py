"""What a party's name looks like, and what around it shows that it is one.

A name is a run of capitalised words, with or without a company form (Inc., GmbH, S.A.). It is
*strong* when it has a form, or when its role ("Supplier") or what it is (", a Delaware corporation")
follows at once. Addresses and other capitalised words are not strong.
"""

import re
from dataclasses import dataclass

_WRITTEN = (
    r"Inc|Incorporated|Limited|Limited Liability Company|Limited Partnership|Corp|Corporation|Company|Co|Partnership"
    r"|Trust|Bank"
    r"|Association|University|Foundation|Institute|Holdings?|Partners|Group|Authority|Fund|Cooperative|Society|Ltd"
)
_ABBREVIATED = (
    r"L\.? ?L\.? ?C|L\.? ?L\.? ?P|Ltda|Ltee|L\.? ?P|P\.? ?L\.? ?C|P\.C|GmbH(?: & Co\.? KG)?|mbH|AG|KGaA|KG|SE"
    r"|S\.? ?A\.? ?S|S\.? ?A\.? ?R\.? ?L"
    r"|S\.? ?[Rr]\.? ?[Ll]|S\.? ?[Pp]\.? ?A|S\.? ?A(?:/S)?|S/A|N\.? ?V|B\.? ?V|AB|A/S|ASA|AS|ApS|Oyj?"
    r"|[Pp][Tt][Yy]\.?,? [Ll][Tt][Dd]|[Pp][Tt][Ee]\.?,? ?[Ll][Tt][Dd]"
    r"|[Pp][Vv][Tt]\.?,? [Ll][Tt][Dd]|K\.? ?K|Bhd|S\. de R\.? ?L\.?(?: de C\.? ?V)?|G\.I\.E|N\.A|FSB|a\.s|s\.r\.o"
    r"|d\.o\.o|Kft|Zrt|Lda|UAB|O[UÜ]|inc|llc|plc"
)
_FORM_PATTERN = rf"(?:{_WRITTEN}|{_WRITTEN.upper().replace('S?', 'S?')}|{_ABBREVIATED})\b\.?(?![\w-])"
_FORM = re.compile(_FORM_PATTERN)
_PART = (
    r"(?:[A-Z0-9À-Þ][\w.'&/+-]*|[a-z]{1,2}[A-Z]\w+|[a-z]+-\d\w*|(?:[a-z]\.){2,}|&"
    r"|[a-z][\w.-]*(?=,? +(?:[Ii]nc|LLC|[Ll]td|[Cc]orp)\b))"
)
_JOIN = r"(?:of|the|de|del|der|van|von|for|du|la|y|et|do|da|dos)"
NAME = re.compile(
    rf"{_PART}(?: ++(?:(?:{_JOIN} ++){{0,2}}{_PART}|<< Pty >>|\([A-Z][\w ]{{1,20}}\)(?= +[A-Z]))){{0,16}}"
    rf"(?: *+(?:, *+)?{_FORM_PATTERN}){{0,4}}"
)
_ROLE = re.compile(
    r"\( *[^()\"]{0,90}[\"'](?P<role>[^\"()]{1,60})[\"']|[\"']\((?P<odd>[^\"()]{2,40})\)|"
    r"\((?P<bare>(?:the )?[A-Z][\w&.-]+(?: [A-Z][\w&.-]+){0,2})\)|[\"](?P<loose>[A-Z][\w &.-]{1,30})\"\)"
)
DESCRIPTION = re.compile(
    r"'? *+(?:, *+)?(?:\([^()]{0,80}\) *+)?(?:, *+)?(?:(?:(?:each|being|is) +)?(?:an? +|the +"
    r"|as +)(?:[\w.'()/-]+ +){0,7}?"
    r"(?:corporation|company|partnership|limited|individual|trust|association|llc|l\.l\.c|bank|institution|entity"
    r"|organization"
    r"|organisation|person|resident|firm|proprietorship|university|gmbh|society|cooperative|authority|fund)\b"
    r"|individual(?:ly)?\b|organized|incorporated"
    r"|(?:with|having|whose|located|maintaining|residing|of|through)\b[^.;]{0,60}\b(?:office|offices|place|address"
    r"|business|located|headquarters|center|at|residen\w+)\b"
    r"|registered|duly|acting|for itself|on behalf of itself|together with|and its (?:affiliates|subsidiaries)"
    r"|doing business)",
    re.IGNORECASE,
)
_NOT_BEFORE = re.compile(
    r"(?:\b(?:formerly(?: +known)?(?: +as)?|f/?k/?a|d/?b/?a|a/?k/?a|doing +business +as|trading +as|also +known +as"
    r"|subsidiar(?:y|ies) +of"
    r"|affiliates? +of|division +of|members? +of|parent(?: +company)? +of|laws? +of|state +of|commonwealth +of"
    r"|through +its|(?<!itself and )behalf +of"
    r"|successor(?:s)?(?:[- ]in[- ]interest)? +(?:to|of)|represented +by|attention|attn|located +at"
    r"|address(?:ed)?(?: +at| +is|:)?|c/o|care +of|trustee +(?:for|of)"
    r"|name +of|shareholders? +of|employees? +of|officers? +of|president +of|director +of|a +part +of|owned +by"
    r"|managed +by|offices? +at|business +at"
    r"|residing +at|at|source|in|by +its(?: +\w+){0,2}|general +partner|partner|its|their|as)[ ,:]*(?:the +|an? +)?)$",
    re.IGNORECASE,
)
_NOT_A_NAME = re.compile(
    r"^(?:(?:\d+/[\d/]+|this|the|that|these|whereas|now|recitals?|background|party|parties|agreement|exhibit|section"
    r"|article|schedule|appendix|each|such|attn|attention"
    r"|suite|floor|street|no|p\.?o|box|date|between|among|and|witnesseth|in|effective|whose|with|by|january|february"
    r"|march|april|may|june|july|august|september"
    r"|october|november|december|a|an|as|for|if|it|its|all|any|company|corporation|limited|inc|incorporated|ltd|llc"
    r"|source|page|u\.?s\.?a?|united states|confidential"
    r"|capitalized|collectively|individually|hereinafter|of|to|on|is|one|notice|tel|fax|e-?mail|address|title|name"
    r"|state|commonwealth|province|delaware|nevada"
    r"|california|new york|texas|ontario|israel|germany|trust|bank|partnership|fund|group|association|university"
    r"|institute|foundation|holdings?|partners|the company"
    r"|the bank|the trust|general partner|limited liability company|limited partnership)[\s.,:]*)+$",
    re.IGNORECASE,
)
_NOT_WITHIN = re.compile(r", +(?:NV|CO)$|.{3} The |\d\.\d|^(?:An?|Any|Each|Such) |^\d+/")
_STOP_WORDS = re.compile(
    r" +(?:Licensee|LICENSEE|Licensor|LICENSOR|Its|ITS|Date|DATE|Per|PER|ATTEST|Suite|Room|By|BY|Name|NAME|Title"
    r"|TITLE|Source|THIS|AGREEMENT|WHEREAS"
    r"|BETWEEN|RECITALS|WITNESSETH|PARTY|This|Whereas"
    r"|Agreement|Recitals|Dated|DATED)\b.*$"
)
_PAGE_NUMBER = re.compile(r"(?<=[a-zA-Z.]) +\d{1,3}$")
_JOINED = re.compile(r" +AND +")
_COLLECTIVE = re.compile(
    r"(?i)^(?:the +)?(?:(?:you|your|we|us|our)\b.*|part(?:y|ies)|agreement|.*\bdate|amendment|contract|.*parties|us"
    r"|we|they|recitals?"
    r"|joint venturers?)[,.]?$"
)


@dataclass(frozen=True, slots=True)
class Named:
    """A name at [start, end) of the flat text, with its role and the end of that role's bracket."""

    start: int
    end: int
    text: str
    role: str | None
    role_end: int | None


def is_rejected(before: str, name: str) -> bool:
    """Whether the words before it, or the words themselves, show that this is no party's name."""
    return any((_NOT_BEFORE.search(before[-48:]), _NOT_A_NAME.match(name), _NOT_WITHIN.search(name)))


def has_form(name: str) -> bool:
    """Whether a company form stands in the name after its first word."""
    return any(found.start() > 0 and name[found.start() - 1] in " ,." for found in _FORM.finditer(name))


def cut(name: str) -> str:
    """The name without what an all-capitals line drags in behind it."""
    name = _PAGE_NUMBER.sub("", _STOP_WORDS.sub("", name))
    for joined in _JOINED.finditer(name):
        if has_form(name[: joined.start()]):
            name = name[: joined.start()]
            break
    return name.rstrip(" ,;:'")


def role_after(text: str, position: int, limit: int) -> tuple[str, int] | None:
    """The first defined role in [position, limit), such as "Supplier", and where its bracket ends.

    Words for all parties together ("Parties") and for the agreement are no roles.
    """
    for found in _ROLE.finditer(text, position, limit):
        role = next(part for part in found.groups() if part is not None)
        if found.group("bare") and found.start() - position > 3:
            continue
        role = re.sub(r"^(?:the|hereinafter) +", "", " ".join(role.split()), flags=re.IGNORECASE).strip(" ,.'\"")
        if role and not _COLLECTIVE.match(role):
            close = text.find(")", found.end() - 1)
            return role, close + 1 if 0 <= close - found.end() < 160 else found.end()
    return None
