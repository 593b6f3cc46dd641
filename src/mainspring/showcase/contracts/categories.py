"""The 38 clause categories of CUAD, each with a description in our own words.

The names are CUAD's, letter for letter, because the classifier was trained on them
and playbooks refer to them. The description says what a clause of the category does;
it is shown in the console, listed in prompts and quoted when a clause is absent.
`words` are the word forms a lawyer would look for (`*` ends a stem): they choose the
sentence to cite inside a clause, and never decide by themselves that a clause is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["CATEGORIES", "CATEGORY_NAMES", "Category"]


@dataclass(frozen=True, slots=True)
class Category:
    """One kind of clause.

    description  one line, starting with a noun phrase, without a full stop
    words        lower-case words that mark the sentence that matters, `*` for any ending
    """

    name: str
    description: str
    words: tuple[str, ...]


def _category(name: str, description: str, words: str) -> Category:
    return Category(name, description, tuple(words.split()))


_ALL = (
    _category("Effective Date", "The day from which the contract binds the parties", "effective commence* date"),
    _category(
        "Expiration Date",
        "The day on which the first term ends, or a statement that it never does",
        "expir* term initial until continue* years perpetual* remain* effect commence* period",
    ),
    _category(
        "Renewal Term",
        "How long the contract runs on after its first term, by itself or by one party's choice",
        "renew* extend* successive automatic* additional",
    ),
    _category(
        "Notice Period to Terminate Renewal",
        "How far ahead a party must speak up to stop a renewal",
        "notice renew* non-renewal days prior elect* unless",
    ),
    _category(
        "Governing Law",
        "The state or country whose law decides what the contract means",
        "govern* laws law construed jurisdiction",
    ),
    _category(
        "Most Favored Nation",
        "A promise that the other side always gets terms as good as any third party gets",
        "favor* favour* favorable favourable lower* better price* terms customer",
    ),
    _category(
        "Non-Compete",
        "A bar on competing with the other side, or on working in a field or territory",
        "compet* engage* similar business territory",
    ),
    _category(
        "Exclusivity",
        "A duty to deal only with the other side, or to buy all of a need from it",
        "exclusiv* sole solely only requirements",
    ),
    _category(
        "No-Solicit of Customers",
        "A bar on winning over the other side's customers or partners",
        "solicit* customer* client* divert* induce*",
    ),
    _category(
        "Competitive Restriction Exception",
        "A carve-out from a non-compete, an exclusivity or a customer non-solicit",
        "notwithstanding except* foregoing restrict* permitted",
    ),
    _category(
        "No-Solicit of Employees",
        "A bar on hiring or luring away the other side's staff",
        "solicit* hire* employ* personnel contractor* recruit*",
    ),
    _category(
        "Non-Disparagement",
        "A bar on speaking ill of the other side, its products or its people",
        "disparag* defam* reputation* derogat* goodwill",
    ),
    _category(
        "Termination for Convenience",
        "A right to end the contract without a breach, by giving notice",
        "terminat* convenience cause reason notice any",
    ),
    _category(
        "Rofr/Rofo/Rofn",
        "A first call on a deal: a right of first refusal, first offer or first negotiation",
        "first refusal offer* negotiat* right option purchase elect* notice",
    ),
    _category(
        "Change of Control",
        "What happens when a party is sold or merged: consent, notice or a right to leave",
        "control merger acqui* sale substantially assets stock voting",
    ),
    _category(
        "Anti-Assignment",
        "A need for consent or notice before the contract is passed to someone else",
        "assign* transfer* consent delegate*",
    ),
    _category(
        "Revenue/Profit Sharing",
        "A duty to share revenue or profit, such as a royalty or commission",
        "royalt* revenue* profit* commission* percent* share*",
    ),
    _category(
        "Price Restrictions",
        "A limit on raising or lowering prices",
        "price* fee* fees increase* rais* adjust* exceed percent*",
    ),
    _category(
        "Minimum Commitment",
        "A least amount that must be bought, paid or ordered in a period",
        "minimum least commit* purchase* shortfall annual*",
    ),
    _category(
        "Volume Restriction",
        "A fee or a consent that is due when use passes a threshold",
        "exceed* excess overage volume limit* maximum additional users",
    ),
    _category(
        "IP Ownership Assignment",
        "A transfer of intellectual property from the party that made it to the other",
        "assign* ownership own* vest* title hire intellectual property work",
    ),
    _category(
        "Joint IP Ownership",
        "Intellectual property that both parties own together",
        "joint* jointly own* co-own* undivided",
    ),
    _category("License Grant", "A licence from one party to the other", "grant* licens* licenc* right use"),
    _category(
        "Non-Transferable License",
        "A limit on passing a licence on to someone else",
        "non-transferable nontransferable transfer* sublicens* licens* licenc*",
    ),
    _category(
        "Affiliate License-Licensor",
        "A licence that also covers intellectual property of the licensor's affiliates",
        "affiliate* licensor grant* licens* licenc*",
    ),
    _category(
        "Affiliate License-Licensee",
        "A licence that the licensee's affiliates may use as well",
        "affiliate* licensee grant* licens* licenc* subsidiar*",
    ),
    _category(
        "Unlimited/All-You-Can-Eat-License",
        "A licence without a limit on the amount of use",
        "unlimited enterprise-wide enterprise number users licens* licenc*",
    ),
    _category(
        "Irrevocable or Perpetual License",
        "A licence that cannot be taken back or never ends",
        "perpetual* irrevocabl* licens* licenc* royalty-free",
    ),
    _category(
        "Source Code Escrow",
        "Source code held by a third party and released when something goes wrong",
        "escrow* source code deposit* release*",
    ),
    _category(
        "Post-Termination Services",
        "Duties that go on after the end, such as transition help, wind-down or last orders",
        "after upon following terminat* expir* transition wind-down surviv* continue* return",
    ),
    _category(
        "Audit Rights",
        "A right to inspect the other side's books, records, systems or premises",
        "audit* inspect* records books examine* premises",
    ),
    _category(
        "Uncapped Liability",
        "Liability without an upper limit, for everything or for some kinds of breach",
        "unlimited limit* liab* not apply exclu* without uncapped except fraud nothing",
    ),
    _category(
        "Cap on Liability",
        "An upper limit on what a party can owe, or a short time to bring claims",
        "liab* aggregate exceed* limit* total maximum cumulative cap damages consequential event",
    ),
    _category(
        "Liquidated Damages",
        "A sum fixed in advance for a breach or for leaving early",
        "liquidated damages penalt* terminat* fee credit* genuine",
    ),
    _category(
        "Warranty Duration",
        "How long a warranty against defects lasts",
        "warrant* period days months year defect* conform*",
    ),
    _category(
        "Insurance",
        "A duty to keep insurance for the benefit of the other side",
        "insur* coverage policy policies occurrence",
    ),
    _category(
        "Covenant Not to Sue",
        "A promise not to contest the other side's rights or not to bring claims",
        "contest* challenge* sue claim* waive* release* covenant* validity",
    ),
    _category(
        "Third Party Beneficiary",
        "Someone outside the contract who may enforce part of it",
        "third beneficiar* enforce* third-party intended",
    ),
)

CATEGORIES: Mapping[str, Category] = MappingProxyType({category.name: category for category in _ALL})
"""Every category by its name, in CUAD's order."""

CATEGORY_NAMES: tuple[str, ...] = tuple(CATEGORIES)
"""The 38 names, in CUAD's order."""
