"""What contract intelligence tells a search: which kinds of clause a question means, and where they stand.

A question means a category when it names it, by its name or by what lawyers also call it; else when the clause
classifier, which never saw a question, takes the question itself for a clause of that category. Places are the
clauses as the classifier sees them, and for parties and dates the quotes that facts were read from.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from mainspring.foundation.ids import TenantId
from mainspring.orchestration.knowledge import Concept
from mainspring.orchestration.knowledge.types import Chunk, Label, ParsedDocument

from .categories import CATEGORY_NAMES
from .classifier import ClauseClassifier
from .extraction import extract_facts
from .types import Analysis, ClassifiedChunk, FactName

_SURE = 0.5
_LEAST_SCORE = 0.05
_WORD = re.compile(r"\w+")
_FACTS = {FactName.PARTIES: "Parties", FactName.AGREEMENT_DATE: "Agreement Date"}

ALIASES: Mapping[str, tuple[str, ...]] = {
    "Document Name": ("document name", "name of the contract", "title of the contract", "title of the agreement"),
    "Parties": ("parties", "contracting parties", "parties to the contract", "signatories"),
    "Agreement Date": ("agreement date", "date of the contract", "date of the agreement", "signing date"),
    "Effective Date": ("effective date", "date of effect"),
    "Expiration Date": ("expiration date", "expiry date", "end of the term", "initial term"),
    "Renewal Term": ("renewal term", "renewal period", "automatic renewal"),
    "Notice Period to Terminate Renewal": ("notice period to terminate renewal", "notice of non renewal"),
    "Governing Law": ("governing law", "choice of law", "applicable law", "governed by the laws"),
    "Most Favored Nation": ("most favored nation", "most favoured nation", "mfn", "most favored customer"),
    "Non-Compete": ("non compete", "non competition", "noncompete", "covenant not to compete"),
    "Exclusivity": ("exclusivity", "exclusive dealing", "exclusive rights"),
    "No-Solicit of Customers": ("no solicit of customers", "non solicitation of customers"),
    "Competitive Restriction Exception": ("competitive restriction exception", "exception to the non compete"),
    "No-Solicit of Employees": ("no solicit of employees", "non solicitation of employees", "no hire"),
    "Non-Disparagement": ("non disparagement", "disparagement", "disparage"),
    "Termination for Convenience": ("termination for convenience", "terminate without cause", "terminate at will"),
    "Rofr/Rofo/Rofn": ("rofr", "rofo", "rofn", "right of first refusal", "right of first offer", "first negotiation"),
    "Change of Control": ("change of control", "change in control"),
    "Anti-Assignment": ("anti assignment", "assignment clause", "assignment of the contract"),
    "Revenue/Profit Sharing": ("revenue profit sharing", "revenue sharing", "profit sharing", "revenue share"),
    "Price Restrictions": ("price restrictions", "price restriction", "price increase"),
    "Minimum Commitment": ("minimum commitment", "minimum purchase", "minimum order"),
    "Volume Restriction": ("volume restriction", "usage limit", "usage cap"),
    "IP Ownership Assignment": ("ip ownership assignment", "assignment of intellectual property", "work for hire"),
    "Joint IP Ownership": ("joint ip ownership", "joint ownership", "jointly owned"),
    "License Grant": ("license grant", "licence grant", "grant of license", "grant of licence"),
    "Non-Transferable License": ("non transferable license", "nontransferable license", "non transferable licence"),
    "Affiliate License-Licensor": ("affiliate license licensor", "licensor s affiliates", "affiliates of the licensor"),
    "Affiliate License-Licensee": ("affiliate license licensee", "licensee s affiliates", "affiliates of the licensee"),
    "Unlimited/All-You-Can-Eat-License": ("unlimited all you can eat license", "unlimited license", "all you can eat"),
    "Irrevocable or Perpetual License": ("irrevocable or perpetual license", "perpetual license"),
    "Source Code Escrow": ("source code escrow", "escrow of source code", "software escrow"),
    "Post-Termination Services": ("post termination services", "transition services", "wind down"),
    "Audit Rights": ("audit rights", "right to audit", "audit clause"),
    "Uncapped Liability": ("uncapped liability", "unlimited liability"),
    "Cap on Liability": ("cap on liability", "liability cap", "limitation of liability", "limit of liability"),
    "Liquidated Damages": ("liquidated damages", "termination fee"),
    "Warranty Duration": ("warranty duration", "warranty period", "length of warranty"),
    "Insurance": ("insurance", "insurance coverage"),
    "Covenant Not to Sue": ("covenant not to sue", "no challenge clause"),
    "Third Party Beneficiary": ("third party beneficiary", "third party beneficiaries"),
}
"""Lower case, words apart by blanks. The longest that a question holds decides."""


class ContractConcepts:
    """Implements `knowledge.ports.Concepts` for the categories of contract clauses.

    classifier  None is the one in the package, read when the first question comes
    """

    def __init__(self, classifier: ClauseClassifier | None = None) -> None:
        self._given = classifier

    async def named_in(self, tenant: TenantId, question: str) -> Sequence[Concept]:
        """The category that the question names, else the one that it surely describes; about a millisecond."""
        del tenant
        shown = f" {' '.join(_WORD.findall(question.casefold()))} "
        named = {alias: name for name, aliases in ALIASES.items() for alias in aliases if f" {alias} " in shown}
        if named:
            return [Concept(named[max(named, key=len)], 1.0)]
        return self._described(question)

    def _described(self, question: str) -> Sequence[Concept]:
        classifier = self._given or ClauseClassifier.load()
        alone = classifier.probabilities([question])[0]
        chosen = classifier.probabilities_of_passages([question])[0]
        best = int(np.argmax(alone))
        strength = float(min(alone[best], chosen[best]))
        return [Concept(classifier.categories[best], min(strength, 0.99))] if strength >= _SURE else []


def find_labels(
    classifier: ClauseClassifier,
    document: ParsedDocument,
    chunks: Sequence[Chunk],
    *,
    chosen: Sequence[ClassifiedChunk] = (),
) -> list[Label]:
    """What was found in a contract, each place with its score; a label once for a place.

    chosen  clauses with the labels that a model gave them, which count where they are surer
    """
    classified = classifier.classify(chunks)
    rows = classifier.probabilities_in_contract([chunk.text for chunk in chunks])
    found: dict[tuple[str, int, int], float] = {}
    for chunk, row in zip(chunks, rows, strict=True):
        for place in np.flatnonzero(row >= _LEAST_SCORE):
            found[CATEGORY_NAMES[place], chunk.start, chunk.end] = float(row[place])
    for fact in extract_facts(Analysis(document, classified)):
        if fact.name in _FACTS:
            for citation in fact.citations:
                found[_FACTS[fact.name], citation.start, citation.end] = fact.confidence
    for each in chosen:
        for label in each.labels:
            place = (label.category, each.chunk.start, each.chunk.end)
            found[place] = max(found.get(place, 0.0), label.probability)
    for start, end in _titles(document):
        found["Document Name", start, end] = 1.0
    return [Label(label, start, end, round(score, 4)) for (label, start, end), score in found.items()]


def _titles(document: ParsedDocument) -> list[tuple[int, int]]:
    """Where the title stands first."""
    words = (document.title or "").split()
    pattern = r"\s+".join(map(re.escape, words))
    found = re.search(pattern, document.text, re.IGNORECASE) if words else None
    return [found.span()] if found else []
