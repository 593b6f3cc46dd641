"""A message is a chunk: with its author, its time and its subject, and without what it quotes."""

import pytest

from mainspring.orchestration.knowledge.chunking import MessageChunking, cut
from mainspring.orchestration.knowledge.chunking.dates import find_time
from mainspring.orchestration.knowledge.parsing import parse
from mainspring.orchestration.knowledge.setup import Setup, document_type_of
from mainspring.orchestration.knowledge.types import Block, BlockKind, Chunk, ParsedDocument

_Part = tuple[BlockKind, str, dict[str, str]]


def _thread(*parts: _Part) -> ParsedDocument:
    text, blocks = "", list[Block]()
    for kind, words, attributes in parts:
        text += "\n\n" if text else ""
        blocks.append(Block(kind, len(text), len(text) + len(words), attributes=attributes))
        text += words
    return ParsedDocument(text, "message/rfc822", tuple(blocks))


def _plain(text: str) -> ParsedDocument:
    return ParsedDocument(text, "text/plain", ())


def _cut(document: ParsedDocument, max_chars: int = 1_500) -> tuple[Chunk, ...]:
    return cut(document, MessageChunking(max_chars))


def test_each_message_block_opens_a_chunk_that_says_who_wrote_it_and_when():
    said = {"author": "Ana", "sent_at": "2024-06-03T10:22:00+02:00", "subject": "Invoice 17"}
    document = _thread(
        (BlockKind.MESSAGE, "Ana, 3 June 2024", said),
        (BlockKind.PARAGRAPH, "Where is it?", {}),
        (BlockKind.MESSAGE, "Bob, 4 June 2024", {"author": "Bob"}),
        (BlockKind.PARAGRAPH, "Here.", {}),
    )
    first, second = _cut(document)
    assert first.text == "Ana, 3 June 2024\n\nWhere is it?"
    assert first.attributes == said
    assert first.heading_path == ("Invoice 17",)
    assert second.attributes == {"author": "Bob"}
    assert (second.start, second.text) == (document.text.index("Bob"), "Bob, 4 June 2024\n\nHere.")


def test_a_mail_is_cut_as_it_was_parsed():
    mail = (
        b"From: Ana <ana@example.org>\nSubject: Re: Invoice 17\nDate: Mon, 3 Jun 2024 10:22:05 +0200\n\n"
        b"It was paid.\n\nOn 2 June 2024, Bob wrote:\n> Where is it?\n\nOn Friday.\n"
    )
    document = parse(mail, filename="a.eml")
    (chunk,) = cut(document, Setup().chunking_of(document_type_of(document.media_type, "a.eml")))
    assert chunk.text.endswith("It was paid.\n\nOn Friday.")
    assert (chunk.attributes["author"], chunk.heading_path) == ("Ana <ana@example.org>", ("Re: Invoice 17",))


def test_quotations_are_left_out_of_the_text_but_lie_in_the_span():
    document = _thread(
        (BlockKind.MESSAGE, "Ana", {"author": "Ana"}),
        (BlockKind.PARAGRAPH, "I disagree.", {}),
        (BlockKind.PARAGRAPH, "On 3 June 2024, Bob wrote:", {}),
        (BlockKind.QUOTE, "It is late.", {}),
        (BlockKind.PARAGRAPH, "> It is\n> very late.", {}),
        (BlockKind.PARAGRAPH, "It is not.", {}),
    )
    (chunk,) = _cut(document)
    assert chunk.text == "Ana\n\nI disagree.\n\nIt is not."
    assert (chunk.start, chunk.end) == (0, len(document.text))


def test_a_message_that_is_nothing_but_a_quotation_keeps_it():
    document = _thread(
        (BlockKind.MESSAGE, "Ana", {"author": "Ana"}), (BlockKind.QUOTE, "The offer stands until May.", {})
    )
    (chunk,) = _cut(document)
    assert chunk.text == "Ana\n\nThe offer stands until May."


def test_a_long_message_is_cut_at_its_paragraphs_and_each_part_is_its_author_s():
    paragraphs = [(BlockKind.PARAGRAPH, f"Paragraph {number} " + "goes on. " * 8 + "End.", {}) for number in range(4)]
    document = _thread((BlockKind.MESSAGE, "Ana", {"author": "Ana"}), *paragraphs)
    chunks = _cut(document, 200)
    assert len(chunks) > 1
    assert all(chunk.text.endswith("End.") for chunk in chunks)
    assert all(chunk.attributes == {"author": "Ana"} for chunk in chunks)


def test_mail_headers_in_plain_text_open_messages():
    document = _plain(
        "From: Ana <ana@example.org>\nSent: Monday, June 3, 2024 2:15 PM\nTo: Bob\nSubject: Invoice 17\n\n"
        "Where is it?\n\n"
        "-----Original Message-----\nVon: Bob\nGesendet: Montag, 3. Juni 2024 09:00\nBetreff: Rechnung\n\nKommt gleich."
    )
    first, second = _cut(document)
    assert first.attributes == {
        "author": "Ana <ana@example.org>",
        "sent_at": "2024-06-03T14:15:00",
        "subject": "Invoice 17",
    }
    assert first.text.endswith("Where is it?")
    assert second.attributes == {"author": "Bob", "sent_at": "2024-06-03T09:00:00", "subject": "Rechnung"}


@pytest.mark.parametrize("shape", ["[{when}] {who}: {text}", "{who} ({when}): {text}"])
def test_the_lines_of_a_ticket_open_messages(shape: str):
    said = [("Ana Ruiz", "2024-05-01 10:22", "It smokes."), ("Bob", "2024-05-01 10:25", "Which one?\nThe old one?")]
    chunks = _cut(_plain("\n".join(shape.format(who=who, when=when, text=text) for who, when, text in said)))
    assert [chunk.attributes for chunk in chunks] == [
        {"author": "Ana Ruiz", "sent_at": "2024-05-01T10:22:00"},
        {"author": "Bob", "sent_at": "2024-05-01T10:25:00"},
    ]
    assert chunks[1].text.endswith("Which one?\nThe old one?")


def test_who_wrote_what_opens_a_message_unless_a_quotation_follows():
    document = _plain(
        "I agree.\n\nOn Mon, Jun 3, 2024 at 10:15 AM Bob Stone\n<bob@example.org> wrote:\n\nShall we?\n\n"
        "On 2 June 2024, Ana wrote:\n> Perhaps.\n"
    )
    first, second = _cut(document)
    assert first.text == "I agree."
    assert second.attributes == {"author": "Bob Stone <bob@example.org>", "sent_at": "2024-06-03T10:15:00"}
    assert second.text.endswith("Shall we?")


@pytest.mark.parametrize(
    "text",
    [
        "Ana (2024-05-01 10:22): the only line of its kind. It is a note.",
        "On balance, she wrote:\nnothing.",
        "From: here\nto there is a long way.",
        "Error (code 5): it failed.\nWarning (code 7): it may fail.",
    ],
)
def test_what_only_looks_like_a_thread_is_cut_by_size(text: str):
    assert [chunk.text for chunk in _cut(_plain(text))] == [text]
    assert _cut(_plain(text))[0].attributes == {}


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("Mon, 3 Jun 2024 10:22:05 +0200", "2024-06-03T10:22:05+02:00"),
        ("2024-06-03T10:22Z", "2024-06-03T10:22:00+00:00"),
        ("June 3rd, 2024 at 12:05\u202fAM", "2024-06-03T00:05:00"),
        ("3.6.2024, 9:05", "2024-06-03T09:05:00"),
        ("2024/06/03", "2024-06-03"),
        ("3/4/2024 9:00", None),
        ("2024-13-45 10:22", None),
    ],
)
def test_times_are_read_only_in_the_one_way_they_can_be_meant(written: str, iso: str | None):
    found = find_time(written)
    assert found is not None
    assert found.iso == iso
