"""What kind of contract it is: a mutual NDA needs no liability cap, a subscription does.

Recognised from the title and the opening lines, by the words that lawyers put there. OTHER is an
honest answer; rules apply to it like to any commercial contract.
"""

import re
from enum import StrEnum

from mainspring.orchestration.knowledge.types import ParsedDocument

__all__ = ["ContractKind", "recognise_kind"]

_OPENING = 1200


class ContractKind(StrEnum):
    """The kinds that playbooks tell apart."""

    NDA = "nda"
    SOFTWARE = "software"
    SERVICES = "services"
    SUPPLY = "supply"
    DISTRIBUTION = "distribution"
    OTHER = "other"


_SIGNS = (
    (ContractKind.NDA, r"non-?\s?disclosure|confidentiality agreement|\bnda\b"),
    (
        ContractKind.SOFTWARE,
        r"software|saas|subscription|cloud|hosting|licen[sc]e agreement|licen[sc]ing agreement|end.user",
    ),
    (ContractKind.DISTRIBUTION, r"distribut|resell|franchise|agency agreement|marketing agreement|affiliate agreement"),
    (ContractKind.SUPPLY, r"supply|manufactur|purchase agreement|sale of goods|procurement"),
    (ContractKind.SERVICES, r"services? agreement|consult|master services|maintenance|statement of work|outsourcing"),
)


def recognise_kind(document: ParsedDocument) -> ContractKind:
    """The kind that the title names, else the kind that the opening names most often, else OTHER."""
    opening = document.text[:_OPENING].casefold()
    title = (document.title or opening.strip().partition("\n")[0]).casefold()[:200]
    for kind, pattern in _SIGNS:
        if re.search(pattern, title):
            return kind
    counts = [(len(re.findall(pattern, opening)), -place, kind) for place, (kind, pattern) in enumerate(_SIGNS)]
    most, _, kind = max(counts)
    return kind if most else ContractKind.OTHER
