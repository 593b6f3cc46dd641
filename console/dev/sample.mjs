// Development only: an invented agreement with invented parties, and a report about it in the API's shapes.
const CLAUSES = [
  ["h", "1", "Definitions"],
  ["p", "1.1", "\u201cConfidential Information\u201d means all non-public information disclosed by one party to the other in connection with this Agreement, whether orally, in writing or by access to the Service, that is designated confidential or that a reasonable person would understand to be confidential."],
  ["p", "1.2", "\u201cService\u201d means the hosted freight planning software described in Order Form A, including its interfaces, reports and updates."],
  ["p", "1.3", "\u201cFees\u201d means the amounts set out in each Order Form, exclusive of taxes."],
  ["h", "2", "The Service"],
  ["p", "2.1", "Subject to payment of the Fees, Provider grants Customer a non-exclusive, non-transferable right to use the Service during the Term for its internal business operations."],
  ["p", "2.2", "Provider may modify, suspend or discontinue any feature of the Service at any time and without notice, and Customer waives any claim arising from such change."],
  ["p", "2.3", "Provider will use commercially reasonable efforts to make the Service available. Order Form A states no service level and no credit for unavailability."],
  ["h", "3", "Fees and Payment"],
  ["p", "3.1", "Customer shall pay each invoice within ten (10) days of its date. Amounts not paid when due bear interest at two percent (2%) per month until paid in full."],
  ["p", "3.2", "Provider may increase the Fees at each Renewal Term by an amount determined by Provider in its sole discretion."],
  ["p", "3.3", "All Fees are non-cancellable and non-refundable, including upon termination by Customer for cause."],
  ["h", "4", "Term and Termination"],
  ["p", "4.1", "This Agreement starts on March 1, 2026 and continues for an initial term of thirty-six (36) months (the \u201cInitial Term\u201d)."],
  ["p", "4.2", "Thereafter it renews automatically for successive terms of twenty-four (24) months each, unless either party gives written notice of non-renewal at least one hundred twenty (120) days before the end of the then-current term."],
  ["p", "4.3", "Either party may terminate this Agreement for material breach that remains uncured sixty (60) days after written notice."],
  ["l", "(a)", "upon termination, Customer shall pay all Fees for the remainder of the Initial Term; and"],
  ["l", "(b)", "Provider may delete Customer Data ten (10) days after termination, without any duty to return it."],
  ["h", "5", "Customer Data"],
  ["p", "5.1", "Customer grants Provider a perpetual, irrevocable licence to use Customer Data to develop, train and improve its products and those of its affiliates."],
  ["p", "5.2", "Provider maintains administrative, physical and technical safeguards that are consistent with industry practice."],
  ["h", "6", "Confidentiality"],
  ["p", "6.1", "Each party shall protect the other\u2019s Confidential Information with reasonable care and use it only to perform this Agreement. These duties end one (1) year after disclosure."],
  ["h", "7", "Intellectual Property"],
  ["p", "7.1", "All right, title and interest in the Service, and in any configuration, report or work product made for Customer, vests solely in Provider."],
  ["p", "7.2", "During the Term and for two (2) years thereafter Customer shall not develop or procure any product competitive with the Service."],
  ["h", "8", "Indemnification"],
  ["p", "8.1", "Customer shall indemnify, defend and hold harmless Provider against any and all claims arising out of Customer\u2019s use of the Service."],
  ["h", "9", "Limitation of Liability"],
  ["p", "9.1", "IN NO EVENT SHALL PROVIDER\u2019S AGGREGATE LIABILITY EXCEED THE FEES PAID BY CUSTOMER IN THE THREE (3) MONTHS PRECEDING THE CLAIM."],
  ["p", "9.2", "The foregoing limits do not apply to Customer\u2019s obligations under Sections 3 and 8, for which Customer\u2019s liability is unlimited."],
  ["h", "10", "Assignment"],
  ["p", "10.1", "Provider may assign this Agreement, in whole or in part, without consent. Customer may not assign this Agreement, by operation of law, change of control or otherwise, without Provider\u2019s prior written consent."],
  ["h", "11", "Governing Law"],
  ["p", "11.1", "This Agreement is governed by the laws of the Cayman Islands, and the courts of George Town have exclusive jurisdiction."],
  ["h", "12", "General"],
  ["p", "12.1", "Notices are effective when sent by email to the address on the Order Form. This Agreement is the entire understanding of the parties and supersedes all prior proposals."],
];

function compose(copies) {
  let text = "";
  const blocks = [];
  const chunks = [];
  const add = (kind, words, number, level) => {
    const start = Array.from(text).length;
    text += `${words}\n\n`;
    blocks.push({ kind, start, end: start + Array.from(words).length, number, level });
  };
  add("heading", "MASTER SUBSCRIPTION AGREEMENT", null, 0);
  add("paragraph", "This Master Subscription Agreement (the \u201cAgreement\u201d) is entered into as of February 16, 2026 by and between Quillbridge Software LLC, a Nevada limited liability company (\u201cProvider\u201d), and Halvorsen Freight Systems, Inc., a Minnesota corporation (\u201cCustomer\u201d).", null, null);
  for (let copy = 0; copy < copies; copy += 1)
    for (const [kind, number, words] of CLAUSES)
      add({ h: "heading", p: "paragraph", l: "list_item" }[kind], kind === "h" ? `${number}. ${words}` : `${number} ${words}`, number, kind === "h" ? 1 : kind === "l" ? 3 : 2);
  blocks.forEach((block, index) => chunks.push({ index, start: block.start, end: block.end, number: block.number, heading_path: [], page: null, labels: [] }));
  const length = Array.from(text).length;
  const size = copies > 1 ? 3200 : 2050;
  const pages = [];
  for (let start = 0; start < length; ) {
    const next = blocks.find((block) => block.start >= start + size)?.start ?? length;
    pages.push({ number: pages.length + 1, start, end: next });
    start = next;
  }
  return { text, blocks, chunks, pages, definitions: [], warnings: [] };
}

export const SMALL = compose(1);
export const BIG = compose(23);

function cite(document, quote, copy = 0) {
  let at = -1;
  for (let turn = 0; turn <= copy; turn += 1) at = document.text.indexOf(quote, at + 1);
  if (at < 0) throw new Error(`not in the sample: ${quote}`);
  const page = document.pages.find((each) => at < each.end);
  return { start: at, end: at + quote.length, quote, page: page?.number ?? null, chunk: document.blocks.findIndex((block) => at < block.end) };
}

const FINDINGS = [
  ["limit", "critical", "Liability is capped at three months of fees", "The playbook asks for a cap of at least 12 months of fees. A low cap leaves most of a realistic loss with the customer.", "cap_on_liability", "IN NO EVENT SHALL PROVIDER\u2019S AGGREGATE LIABILITY EXCEED THE FEES PAID BY CUSTOMER IN THE THREE (3) MONTHS PRECEDING THE CLAIM.", "Except for breach of confidentiality, data protection or indemnification, each party\u2019s aggregate liability is limited to the fees paid and payable in the twelve (12) months before the event.", "rule", 0.97],
  ["forbidden", "critical", "Customer\u2019s liability is unlimited", "Caps should bind both sides. Here the customer alone stands without a limit.", "uncapped_liability", "for which Customer\u2019s liability is unlimited", "The limits of this Section apply to both parties alike.", "classifier", 0.91],
  ["forbidden", "critical", "Perpetual licence to train on customer data", "Customer data may be used for the provider\u2019s own products, without an end and without a way back.", "irrevocable_or_perpetual_license", "Customer grants Provider a perpetual, irrevocable licence to use Customer Data to develop, train and improve its products and those of its affiliates.", "Provider may process Customer Data only to provide the Service to Customer, and for no other purpose.", "classifier", 0.88],
  ["limit", "high", "Renewal runs for 24 months", "The playbook accepts renewals of at most 12 months.", "renewal_term", "renews automatically for successive terms of twenty-four (24) months each", "This Agreement renews for successive terms of twelve (12) months.", "rule", 0.99],
  ["limit", "high", "Notice of non-renewal is 120 days", "The playbook accepts at most 60 days; a longer window is easily missed.", "notice_period_to_terminate_renewal", "at least one hundred twenty (120) days before the end of the then-current term", "at least thirty (30) days before the end of the then-current term", "rule", 0.98],
  ["forbidden", "high", "Non-compete binds the customer", "For two years after the term the customer may not even buy a competing product.", "non_compete", "Customer shall not develop or procure any product competitive with the Service", "Delete this clause.", "classifier", 0.93],
  ["missing", "high", "No termination for convenience", "No clause lets the customer leave before the term ends.", "termination_for_convenience", null, "Customer may terminate this Agreement for convenience on thirty (30) days\u2019 written notice.", "classifier", 0.86],
  ["forbidden", "medium", "Fees rise at the provider\u2019s discretion", "An increase without a ceiling makes the cost of renewal unforeseeable.", "price_restrictions", "by an amount determined by Provider in its sole discretion", "by no more than three percent (3%) over the preceding term", "classifier", 0.79],
  ["limit", "medium", "Payment is due in 10 days", "The playbook asks for at least 30 days.", "payment_terms", "within ten (10) days of its date", "within thirty (30) days of receipt of a correct invoice", "rule", 0.99],
  ["forbidden", "medium", "Assignment rights are one-sided", "The provider may assign freely, the customer not even in a change of control.", "anti_assignment", "Customer may not assign this Agreement, by operation of law, change of control or otherwise, without Provider\u2019s prior written consent.", "Either party may assign this Agreement to a successor to its business on written notice.", "classifier", 0.9],
  ["limit", "medium", "Law of the Cayman Islands", "Not on the playbook\u2019s list: Delaware, New York, England and Wales.", "governing_law", "the laws of the Cayman Islands", "the laws of the State of Delaware", "rule", 0.99],
  ["missing", "medium", "No insurance clause", "The playbook requires the provider to carry cyber and liability insurance.", "insurance", null, "Provider maintains cyber liability insurance of at least USD 5,000,000.", "classifier", 0.81],
  ["limit", "low", "Confidentiality ends one year after disclosure", "The playbook asks for three years, and trade secrets for as long as they are secret.", "confidentiality", "These duties end one (1) year after disclosure.", "These duties end three (3) years after disclosure, and for trade secrets when they cease to be secret.", "model", 0.72],
  ["notice", "info", "No service level", "The order form states no availability and no credits; check it outside the contract.", null, "Order Form A states no service level and no credit for unavailability.", null, "rule", 0.94],
];

const FACTS = [
  ["parties", "Quillbridge Software LLC; Halvorsen Freight Systems, Inc.", null, "Quillbridge Software LLC, a Nevada limited liability company (\u201cProvider\u201d), and Halvorsen Freight Systems, Inc."],
  ["agreement_date", "February 16, 2026", "2026-02-16", "as of February 16, 2026"],
  ["effective_date", "March 1, 2026", "2026-03-01", "starts on March 1, 2026"],
  ["term", "36 months", "P36M", "an initial term of thirty-six (36) months"],
  ["renewal", "24 months, automatic", "P24M", "successive terms of twenty-four (24) months each"],
  ["notice_period", "120 days", "P120D", "at least one hundred twenty (120) days"],
  ["governing_law", "Cayman Islands", null, "the laws of the Cayman Islands"],
  ["liability_cap", "3 months of fees", "3 months fees", "THE FEES PAID BY CUSTOMER IN THE THREE (3) MONTHS"],
  ["payment_terms", "10 days", "P10D", "within ten (10) days of its date"],
];

const SUMMARY = [
  ["Quillbridge Software LLC provides hosted freight planning software to Halvorsen Freight Systems, Inc.", "Quillbridge Software LLC, a Nevada limited liability company"],
  ["The initial term is 36 months and renews automatically for 24 months at a time.", "an initial term of thirty-six (36) months", "renews automatically for successive terms of twenty-four (24) months each"],
  ["The provider\u2019s liability is capped at the fees of three months, the customer\u2019s is not capped.", "EXCEED THE FEES PAID BY CUSTOMER IN THE THREE (3) MONTHS PRECEDING THE CLAIM", "Customer\u2019s liability is unlimited"],
  ["Customer data may be used to train the provider\u2019s products without an end.", "Customer grants Provider a perpetual, irrevocable licence"],
  ["Invoices are due in 10 days and bear two percent interest per month.", "within ten (10) days of its date", "two percent (2%) per month"],
];

export function reportOn(document, contract, runId, copies = 1) {
  const findings = [];
  for (let copy = 0; copy < copies; copy += 1)
    FINDINGS.forEach(([kind, severity, title, why, category, quote, suggestion, method, confidence], index) => {
      if (quote === null && copy > 0) return;
      findings.push({ id: `fnd_${copy}_${index}`, rule: `rule_${index}`, kind, severity, title, why, category, citations: quote === null ? [] : [cite(document, quote, copy)], suggestion, method, confidence, decision: "open", decided_by: null, decided_at: null, reason: null, edited: null });
    });
  const tally = (severity) => findings.filter((finding) => finding.severity === severity).length;
  return {
    contract, run_id: runId, playbook: { name: "buyer", version: 3 }, generated_at: new Date().toISOString(), method: "deterministic", ai_enabled: true,
    methods: { classify: "classifier", assess: "rule", summarize: "rule" },
    summary: { method: "rule", dropped: 2, sentences: SUMMARY.map(([text, ...quotes]) => ({ text, citations: quotes.map((quote) => cite(document, quote)) })) },
    model_text: { text: "This agreement is a contract for software. The Provider will provide the software to the Customer, and the Customer will pay the fees. The agreement is for a period of three years and can be ended by the parties. The Provider is not responsible for any damages of the Customer.", model: "local-135m", label: "Written by the small local model, unverified" },
    facts: FACTS.map(([name, value, normalized, quote], index) => ({ name, value, normalized, method: "rule", confidence: 0.99 - index * 0.03, citations: [cite(document, quote)] })),
    categories: findings.filter((finding) => finding.category !== null && finding.citations.length > 0).slice(0, 12).map((finding) => ({ category: finding.category, method: "classifier", probability: finding.confidence, citations: finding.citations })),
    findings, counts: { critical: tally("critical"), high: tally("high"), medium: tally("medium"), low: tally("low"), info: tally("info") },
    warnings: ["Page 3 holds an image without a text layer; its words were not read."],
  };
}
