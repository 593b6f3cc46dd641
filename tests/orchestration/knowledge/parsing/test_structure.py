"""Numbers, headings, definitions, language and title are recognised in text as contracts write it."""

import pytest

from mainspring.orchestration.knowledge import BlockKind, parse


def _numbers(text: str) -> list[tuple[str | None, int | None]]:
    return [(block.number, block.level) for block in parse(text.encode(), filename="a.txt").blocks]


def test_numbering_styles_nest_as_they_open():
    text = """ARTICLE IV TERM

Section 4.1 Duration. This Agreement lasts one year.

(a) It may be renewed.

(i) By notice.

(ii) By conduct.

(b) It may be ended.

Section 4.2 Survival. Some clauses survive.

ARTICLE V FEES"""
    assert _numbers(text) == [
        ("ARTICLE IV", 0),
        ("Section 4.1", 1),
        ("(a)", 2),
        ("(i)", 3),
        ("(ii)", 3),
        ("(b)", 2),
        ("Section 4.2", 1),
        ("ARTICLE V", 0),
    ]


def test_the_letter_i_and_the_numeral_i_are_told_apart_by_what_comes_before():
    letters = "\n\n".join(f"({letter}) Item number {letter} of the list." for letter in "abcdefghij")
    assert [level for _, level in _numbers(letters)] == [0] * 10
    assert _numbers("(a) One\n\n(i) deeper\n\n(ii) deeper\n\n(b) Two") == [
        ("(a)", 0),
        ("(i)", 1),
        ("(ii)", 1),
        ("(b)", 0),
    ]


def test_a_contract_on_one_line_is_taken_apart_by_its_numbers():
    text = (
        '1. Scope. Acme sells goods. 2. Definitions. 2.1 "Goods" means things. 2.2 "Price" means money. '
        "As said in Section 2.1 The rest is void. 3. Term. It lasts a year, see Article 2. 4. Law. Texas."
    )
    assert [number for number, _ in _numbers(text)] == ["1", "2", "2.1", "2.2", "3", "4"]


def test_references_at_the_start_of_a_line_are_not_clauses():
    text = "The fee is set out in\nSection 4.2 of this Agreement and in\nArticle V hereof, due\n12. The rest follows."
    assert _numbers(text) == [(None, None)]


def test_years_amounts_and_initials_are_not_numbers():
    for text in ("2005. That was the year.", "3.5% interest is due.", "J. Smith signs.", "1.250.000 Euro are due."):
        assert _numbers(text) == [(None, None)], text


@pytest.mark.parametrize(
    "text",
    [
        "§ 4 Laufzeit",
        "Article 4 Durée",
        "Artículo 4 Duración",
        "Artikel 4 Looptijd",
        "Cláusula 4 Prazo",
        "Articolo 4 Durata",
    ],
)
def test_clause_words_of_other_languages_are_known(text: str):
    assert [number for number, _ in _numbers(text)] == [" ".join(text.split()[:2])]


def test_headings_stand_alone_in_capitals_or_title_case():
    text = "SERVICES AGREEMENT\n\nLimitation of Liability\n\nNeither party is liable for any kind of loss.\n\nName: Jo"
    kinds = [block.kind for block in parse(text.encode(), filename="a.txt").blocks]
    assert kinds == [BlockKind.HEADING, BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.PARAGRAPH]


def test_a_disclaimer_in_capitals_is_no_heading():
    text = (
        "THE GOODS ARE SOLD AS THEY ARE AND WITHOUT ANY WARRANTY\nWHATSOEVER, AND THE BUYER TAKES THEM AT ITS OWN RISK."
    )
    assert [block.kind for block in parse(text.encode(), filename="a.txt").blocks] == [BlockKind.PARAGRAPH]


def test_defined_terms_are_found_once_where_they_are_defined():
    text = (
        'This agreement (the "Agreement") is between Acme Inc. ("Acme") and Beta LLC (together, the “Parties”).\n\n'
        '1.1 "Confidential Information" means all information. 1.2 “Net Sales” shall mean revenue.\n\n'
        '1.3 Trade Secrets: means any secret.\n\nThe Agreement (the "Agreement") ends. He said "hello there" to her.'
    )
    document = parse(text.encode(), filename="a.txt")
    terms = [definition.term for definition in document.definitions]
    assert terms == ["Agreement", "Acme", "Parties", "Confidential Information", "Net Sales", "Trade Secrets"]
    first = document.definitions[0]
    assert document.text[first.start : first.end] == "Agreement"


_SENTENCES = {
    "en": "The parties agree that this contract is made by and between the buyer and the seller.",
    "de": "Die Parteien vereinbaren, dass der Vertrag mit dem Käufer nicht vor dem Ende des Jahres gekündigt wird.",
    "fr": "Les parties conviennent que le contrat est conclu pour une durée de deux ans et que la loi est française.",
    "es": "Las partes acuerdan que el contrato se celebra por un año y que la ley es la de los tribunales del lugar.",
    "it": "Le parti convengono che il contratto è concluso per un anno e che la legge è quella del luogo della sede.",
    "nl": "De partijen komen overeen dat het contract voor een jaar is gesloten en dat de wet van het land geldt.",
    "pt": "As partes acordam que o contrato é celebrado por um ano e que a lei é a do lugar da sede da empresa.",
    "und": "Lorem ipsum dolor sit amet consectetur adipiscing elit sed eiusmod tempor labore magna aliqua.",
}


@pytest.mark.parametrize(("language", "sentence"), _SENTENCES.items())
def test_the_language_is_guessed(language: str, sentence: str):
    assert parse(sentence.encode(), filename="a.txt").language == language


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Exhibit 10.2\n\nSUPPLY AGREEMENT\n\nThis agreement is made.", "SUPPLY AGREEMENT"),
        ("RESELLER AGREEMENT    This agreement is made today.", "RESELLER AGREEMENT"),
        ("ACME CORP\n\nMutual Non-Disclosure Agreement\n\n1. Purpose", "Mutual Non-Disclosure Agreement"),
        ("We met on Monday and talked about the weather for a long time.", None),
    ],
)
def test_the_title_is_guessed(text: str, title: str | None):
    assert parse(text.encode(), filename="a.txt").title == title
