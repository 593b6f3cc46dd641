"""For every rule of the default playbooks a wording on which it fires and one on which it keeps quiet.

A rule that asks for a clause fires on the first example because the clause is not in it. A rule
about an extracted fact takes the fact's machine form instead of a wording.
"""

from dataclasses import dataclass

from mainspring.showcase.contracts.types import FactName


@dataclass(frozen=True, slots=True)
class Example:
    """fires, quiet   a clause; or the normalized value of `fact` where that is given"""

    rule: str
    fires: str
    quiet: str
    fact: FactName | None = None


_UNRELATED = "1.1 The parties shall meet once in each quarter to review the plan of work."

BUYER = (
    Example("liability-cap-low", "3 months fees", "12 months fees", FactName.LIABILITY_CAP),
    Example(
        "own-liability-unlimited",
        "4.2 Customer’s liability for any loss that relates to Customer Data is unlimited.",
        "4.2 Provider's liability for any loss that relates to Customer Data is unlimited.",
    ),
    Example(
        "uncapped-for-one-side",
        "11.3 The limit in clause 11.1 does not apply to fraud.",
        "11.3 The limit in clause 11.1 applies to every claim.",
    ),
    Example(
        "liability-cap-missing",
        _UNRELATED,
        "11.1 Each party's total liability shall not exceed the fees paid in the preceding year.",
    ),
    Example(
        "claims-time-short",
        "11.4 Customer may not bring a claim more than six (6) months after the event.",
        "11.4 Customer may not bring a claim more than two (2) years after the event.",
    ),
    Example(
        "indemnity-one-sided",
        "10.1 Customer shall indemnify Provider against all claims.",
        "10.1 Customer shall indemnify Provider against third-party claims. "
        "Provider shall indemnify Customer against third-party claims.",
    ),
    Example(
        "infringement-indemnity-missing",
        "10.1 Customer shall pay the fees.",
        "10.2 Provider shall defend Customer against any claim by a third party that the Services infringe a patent.",
    ),
    Example("renewal-long", "P24M", "P12M", FactName.RENEWAL),
    Example("renewal-notice-long", "P120D", "P60D", FactName.NOTICE_PERIOD),
    Example(
        "renewal-without-way-out",
        "6.2 This Agreement shall automatically renew for successive terms of one year.",
        "6.2 This Agreement shall automatically renew for a year unless a party gives notice 30 days before.",
    ),
    Example(
        "no-exit-for-convenience",
        "12.1 Either party may terminate this Agreement for a material breach.",
        "12.1 Customer may terminate this Agreement for any reason upon sixty days' notice.",
    ),
    Example(
        "exit-for-supplier-only",
        "12.2 Provider may terminate this Agreement for convenience by notice.",
        "12.2 Provider may terminate this Agreement for convenience. "
        "Customer may terminate this Agreement for convenience.",
    ),
    Example(
        "early-termination-fee",
        "12.4 Customer shall pay, as liquidated damages and not as a penalty, a termination fee equal to all Fees.",
        "12.4 Customer shall pay the Fees accrued until the end of this Agreement.",
    ),
    Example(
        "transition-help-missing",
        _UNRELATED,
        "13.1 Provider shall supply transition assistance for ninety days.",
    ),
    Example(
        "price-increase-at-will",
        "5.3 Provider may increase the Fees at any time in its sole discretion.",
        "5.3 Provider may increase the Fees each year by no more than the change in the consumer price index.",
    ),
    Example(
        "minimum-commitment",
        "5.4 Customer shall order Services of at least US$480,000 (the “Minimum Annual Commitment”).",
        "5.4 Customer shall pay for the Services that it orders.",
    ),
    Example("payment-fast", "P15D", "P30D", FactName.PAYMENT_TERMS),
    Example(
        "interest-high",
        "5.2 Overdue amounts bear interest at one and a half percent (1.5%) per month.",
        "5.2 Overdue amounts bear interest at 0.5% per month.",
    ),
    Example(
        "exclusivity",
        "15.2 Customer shall procure all of its requirements for planning software exclusively from Provider.",
        "15.2 This Agreement is non-exclusive; Customer may buy planning software anywhere.",
    ),
    Example(
        "non-compete",
        "15.1 Customer shall not, directly or indirectly, develop, market or acquire a product that competes with it.",
        "15.1 Customer may develop or acquire products of any kind.",
    ),
    Example(
        "non-disparagement",
        "15.4 Customer shall not make any statement that disparages Provider.",
        "15.4 Customer may publish honest reviews.",
    ),
    Example(
        "ip-assigned-to-supplier",
        "7.2 Customer hereby irrevocably assigns to Provider all right, title and interest in the Deliverables.",
        "7.2 Provider hereby assigns to Customer all right, title and interest in the Deliverables.",
    ),
    Example(
        "data-license-perpetual",
        "4.2 Customer grants Vendor a perpetual, irrevocable license to use Aggregated Data.",
        "4.2 Customer grants Vendor a license during the Term to process Customer Data.",
    ),
    Example(
        "data-for-training",
        "4.2 Vendor may use Customer Data to train and improve machine learning models.",
        "4.2 Vendor shall not use Customer Data to train machine learning models.",
    ),
    Example(
        "data-defined-away",
        "1.1 Aggregated Data is not Customer Data.",
        "1.1 “Customer Data” means all data that Customer submits and all data derived from it.",
    ),
    Example(
        "data-anywhere",
        "3.1 Provider may process Customer Data in any country in which it has facilities.",
        "3.1 Provider shall not process Customer Data in any country outside the European Union.",
    ),
    Example(
        "audit-without-notice",
        "14.1 Provider may at any time enter the premises and inspect the books of Customer.",
        "14.1 Provider may audit the books of Customer not more than once in any calendar year.",
    ),
    Example(
        "terms-change-at-will",
        "2.5 Vendor may modify the Documentation and these terms at any time by posting a revised version.",
        "2.5 Vendor may modify these terms only with the written consent of Customer.",
    ),
    Example(
        "suspension-at-will",
        "3.1 Vendor may suspend or limit access to the Service, in whole or in part, immediately and without notice.",
        "3.1 Vendor may suspend access to the Service upon thirty days' written notice of an overdue amount.",
    ),
    Example(
        "assignment-one-sided",
        "16.2 Provider may assign this Agreement to any person without the consent of Customer.",
        "16.2 Neither party may assign this Agreement without the consent of the other.",
    ),
    Example(
        "sale-ends-contract",
        "16.1 A merger or change in control of Customer is an assignment and lets Provider terminate at once.",
        "16.1 The parties shall tell each other about a move of their offices.",
    ),
    Example("governing-law-unusual", "Marshall Islands", "Ohio", FactName.GOVERNING_LAW),
    Example("governing-law-missing", _UNRELATED, "17.1 This Agreement is governed by the laws of Ohio."),
    Example(
        "arbitrator-chosen-by-supplier",
        "17.2 Disputes are settled by a sole arbitrator appointed by Provider.",
        "17.2 Disputes are settled by three arbitrators, one appointed by each party.",
    ),
    Example(
        "warranty-short",
        "9.2 Provider warrants that each Deliverable will conform for a period of thirty (30) days after delivery.",
        "9.2 Provider warrants that each Deliverable will conform for a period of twelve (12) months after delivery.",
    ),
    Example("insurance-missing", _UNRELATED, "12.1 Vendor shall maintain cyber liability insurance of US$2,000,000."),
    Example("confidentiality-missing", _UNRELATED, "8.1 The recipient shall protect Confidential Information."),
    Example(
        "breach-notice-missing",
        _UNRELATED,
        "2.2 Provider shall notify Customer without delay of a security breach that affects Customer Data.",
    ),
    Example(
        "breach-notice-slow",
        "2.2 Provider shall notify Customer of a security breach within ten (10) business days after confirming it.",
        "2.2 Provider shall notify Customer of a security breach within two (2) days after becoming aware of it.",
    ),
    Example(
        "residuals",
        "4.1 The Recipient may use for any purpose ideas that are retained in the unaided memory of its personnel.",
        "4.1 The Recipient may use the information only for the Purpose.",
    ),
    Example(
        "confidentiality-for-ever",
        "7.2 The duties of the Recipient survive the end of this Agreement and continue in perpetuity.",
        "7.2 The duties of the Recipient survive for five years.",
    ),
    Example(
        "covenant-not-to-sue",
        "7.4 Customer shall not, during the Term or afterwards, contest the validity of any right of Provider.",
        "7.4 Customer shall tell Provider when it learns of an infringement.",
    ),
    Example(
        "source-code-escrow-missing", _UNRELATED, "9.9 Vendor shall place the source code of the Service in escrow."
    ),
)

VENDOR = (
    Example(
        "liability-cap-missing",
        _UNRELATED,
        "11.1 Each party's total liability shall not exceed the fees paid in the preceding year.",
    ),
    Example("liability-cap-high", "36 months fees", "12 months fees", FactName.LIABILITY_CAP),
    Example(
        "uncapped-liability",
        "11.3 The limitations in this clause shall not apply to a breach of confidentiality.",
        "11.3 The limitations in this clause apply to every claim.",
    ),
    Example(
        "indirect-loss-not-excluded",
        _UNRELATED,
        "11.2 Neither party is liable for indirect or consequential damages.",
    ),
    Example(
        "indemnity-broad",
        "10.1 Supplier shall indemnify Buyer from any and all losses arising from any breach of this Agreement.",
        "10.1 Supplier shall indemnify Buyer from claims by a third party that the goods infringe a patent.",
    ),
    Example(
        "liquidated-damages",
        "2.2 Supplier shall pay, as liquidated damages, one percent of the price for each day of delay.",
        "2.2 Supplier shall tell Buyer about a delay at once.",
    ),
    Example(
        "customer-exit-at-will",
        "12.2 Customer may terminate this Agreement for convenience at any time.",
        "12.2 Customer may not terminate this Agreement for convenience.",
    ),
    Example(
        "transition-long",
        "13.1 Supplier shall supply transition services for twelve (12) months.",
        "13.1 Supplier shall supply transition services for three (3) months.",
    ),
    Example("payment-slow", "P90D", "P45D", FactName.PAYMENT_TERMS),
    Example("late-interest-missing", _UNRELATED, "5.2 Overdue amounts bear interest at one percent per month."),
    Example(
        "most-favored-customer",
        "5.9 Prices shall be no less favorable than the prices offered to any other customer.",
        "5.9 Prices are stated in Schedule 1.",
    ),
    Example(
        "price-frozen",
        "5.3 The prices shall remain firm for the entire term.",
        "5.3 The prices remain fixed except for the change in the consumer price index.",
    ),
    Example(
        "ip-assigned-to-customer",
        "7.2 Supplier hereby assigns to Customer all right, title and interest in everything that it creates.",
        "7.2 Customer hereby assigns to Supplier all rights in its feedback.",
    ),
    Example(
        "joint-ownership",
        "7.5 The parties shall jointly own all developments.",
        "7.5 Each party owns its own developments.",
    ),
    Example(
        "license-perpetual",
        "4.1 Licensor hereby grants to Licensee a worldwide, perpetual license to use the Software.",
        "4.1 Licensor hereby grants to Licensee a license to use the Software during the Term.",
    ),
    Example(
        "license-unlimited",
        "4.1 The license covers an unlimited number of users.",
        "4.1 The license covers one hundred named users.",
    ),
    Example(
        "source-code-escrow",
        "9.9 Licensor shall place the source code of the Software in escrow.",
        "9.9 Licensor keeps the source code of the Software.",
    ),
    Example(
        "warranty-long",
        "9.2 Supplier warrants that the goods will conform for a period of three (3) years after delivery.",
        "9.2 Supplier warrants that the goods will conform for a period of ninety (90) days after delivery.",
    ),
    Example(
        "warranty-disclaimer-missing",
        _UNRELATED,
        "9.3 Supplier disclaims all other warranties, express or implied.",
    ),
    Example(
        "exclusivity",
        "15.2 Supplier shall not sell the goods, or goods of a similar design, to any other customer.",
        "15.2 Supplier may sell the goods on a non-exclusive basis to anyone.",
    ),
    Example(
        "non-compete",
        "15.1 Supplier shall not, during the Term, engage in any business that competes with that of the Customer.",
        "15.1 Customer shall not, during the Term, acquire any business that competes with that of the Supplier.",
    ),
    Example(
        "first-refusal",
        "3.3 Customer has a right of first refusal for every new product.",
        "3.3 Supplier shall tell Customer about new products.",
    ),
    Example(
        "customer-audit-wide",
        "14.1 Customer may at any time audit the books and records of Supplier.",
        "14.1 Customer may audit the books and records of Supplier not more than once a year.",
    ),
    Example(
        "assignment-locked",
        "16.1 Neither party may assign this Agreement without the prior written consent of the other.",
        "16.1 Neither party may assign this Agreement without consent, except to the successor of its business.",
    ),
    Example(
        "change-of-control",
        "16.2 Customer may terminate this Agreement upon a change of control of Supplier.",
        "16.2 Supplier shall announce a change of its address.",
    ),
    Example("governing-law-unusual", "Marshall Islands", "Ohio", FactName.GOVERNING_LAW),
    Example(
        "third-party-rights",
        "18.6 The affiliates of Customer are intended third-party beneficiaries of this Agreement.",
        "18.6 There are no intended third-party beneficiaries of this Agreement.",
    ),
    Example(
        "confidentiality-for-ever",
        "7.2 The duties of the Recipient survive the end of this Agreement and continue in perpetuity.",
        "7.2 The duties of the Recipient survive for five years.",
    ),
    Example(
        "residuals",
        "4.1 The Recipient may use for any purpose ideas that are retained in the unaided memory of its personnel.",
        "4.1 The Recipient may use the information only for the Purpose.",
    ),
)
