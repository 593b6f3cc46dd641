"""EML: a mail as the thread that it carries, each message with its author and its time."""

import pytest

from mainspring.orchestration.knowledge import BlockKind, ParsedDocument, parse
from mainspring.orchestration.knowledge.parsing.mail_dates import read_loose_date

_HEAD = (
    "From: Anna Smith <anna@example.com>\nTo: Bob <bob@example.com>\nSubject: Re: Delivery\n"
    "Date: Fri, 03 May 2024 10:15:00 +0200\nMIME-Version: 1.0\n"
)
_SENT = "Sent: Monday, April 29, 2024 4:05 PM"
_FORWARDED = "---------- Forwarded message ---------"
_BOB = "Bob Smith <bob@example.com>"
_ANNA = {"author": "Anna Smith <anna@example.com>", "sent_at": "2024-05-03T10:15:00+02:00", "subject": "Re: Delivery"}


def _parse(body: str, kind: str = "text/plain; charset=utf-8", head: str = _HEAD) -> ParsedDocument:
    return parse(f"{head}Content-Type: {kind}\n\n{body}".encode(), filename="a.eml")


def _shown(document: ParsedDocument) -> list[tuple[str, str]]:
    return [(block.kind.value, document.text[block.start : block.end]) for block in document.blocks]


def _authors(document: ParsedDocument) -> list[tuple[str | None, str | None]]:
    return [
        (block.attributes.get("author"), block.attributes.get("sent_at"))
        for block in document.blocks
        if block.kind is BlockKind.MESSAGE
    ]


def test_a_mail_opens_with_who_wrote_it_when_and_of_what():
    document = _parse("Dear Bob,\n\nwe deliver on Monday.\n")
    assert document.blocks[0].kind is BlockKind.MESSAGE
    assert document.blocks[0].attributes == _ANNA
    assert _shown(document)[1:] == [("paragraph", "Dear Bob,"), ("paragraph", "we deliver on Monday.")]
    assert document.title == "Re: Delivery"
    assert document.media_type == "message/rfc822"


def test_headers_are_decoded_and_unfolded():
    head = "From: =?utf-8?q?Anna_M=C3=BCller?= <anna@example.com>\nSubject: =?iso-8859-1?Q?Gr=F6=DFe?=\n and more\n"
    attributes = _parse("Hi", head=head).blocks[0].attributes
    assert attributes == {"author": "Anna Müller <anna@example.com>", "subject": "Größe and more"}


@pytest.mark.parametrize(
    ("line", "author", "sent_at"),
    [
        (
            "On Thu, May 2, 2024 at 9:05 AM, Bob Smith <bob@example.com> wrote:",
            "Bob Smith <bob@example.com>",
            "2024-05-02T09:05:00",
        ),
        (
            "On Thu, May 2, 2024 at 9:05 PM Bob Smith\n<bob@example.com> wrote:",
            "Bob Smith <bob@example.com>",
            "2024-05-02T21:05:00",
        ),
        ("On 2 May 2024, at 09:05, Bob wrote:", "Bob", "2024-05-02T09:05:00"),
        ("On 2024-05-02 09:05, Bob wrote:", "Bob", "2024-05-02T09:05:00"),
        ("Am 02.05.2024 um 09:05 schrieb Bob Schmidt:", "Bob Schmidt", "2024-05-02T09:05:00"),
        (
            "Bob Schmidt <bob@example.com> schrieb am 2. Mai 2024 um 09:05:",
            "Bob Schmidt <bob@example.com>",
            "2024-05-02T09:05:00",
        ),
        ("Le 2 mai 2024 à 09:05, Bob a écrit :", "Bob", "2024-05-02T09:05:00"),
        ("El 2 de mayo de 2024 a las 9:05, Bob escribió:", "Bob", "2024-05-02T09:05:00"),
        ("Op 2 mei 2024 om 09:05 schreef Bob:", "Bob", "2024-05-02T09:05:00"),
        ("Bob Smith wrote:", "Bob Smith", None),
    ],
)
def test_a_quoted_message_that_ends_the_mail_is_a_message_of_its_author(line: str, author: str, sent_at: str | None):
    document = _parse(f"Yes.\n\n{line}\n\n> Is it agreed?\n>\n> Bob\n")
    assert _authors(document) == [(_ANNA["author"], _ANNA["sent_at"]), (author, sent_at)]
    assert _shown(document)[-2:] == [("paragraph", "Is it agreed?"), ("paragraph", "Bob")]


def test_quotations_within_quotations_are_earlier_messages():
    document = _parse("Yes.\n\nOn 2 May 2024, Bob wrote:\n> Well?\n>\n> On 1 May 2024, Anna wrote:\n>> Perhaps.\n")
    assert _authors(document)[1:] == [("Bob", "2024-05-02"), ("Anna", "2024-05-01")]
    assert _shown(document)[-1] == ("paragraph", "Perhaps.")


def test_answers_between_quoted_lines_stay_their_authors():
    document = _parse("On 2 May 2024, Bob wrote:\n> When?\nOn Monday.\n> Where?\nHere.\n")
    assert _authors(document) == [(_ANNA["author"], _ANNA["sent_at"])]
    assert _shown(document)[2:] == [
        ("quote", "When?"),
        ("paragraph", "On Monday."),
        ("quote", "Where?"),
        ("paragraph", "Here."),
    ]
    assert document.blocks[2].attributes == {"author": "Bob", "sent_at": "2024-05-02"}


def test_a_quotation_without_an_author_is_a_quotation():
    assert _shown(_parse("As you said:\n\n> no more\n"))[1:] == [("paragraph", "As you said:"), ("quote", "no more")]


@pytest.mark.parametrize(
    "header",
    [
        f"-----Original Message-----\nFrom: Carl <carl@example.com>\n{_SENT}\nTo: Bob\nSubject: Order",
        f"________________________________\nFrom: Carl <carl@example.com>\n{_SENT}\nTo: Bob\nSubject: Order",
        f"From: Carl <carl@example.com>\n{_SENT}\nTo: Bob\nSubject: Order",
        "Von: Carl <carl@example.com>\nGesendet: Montag, 29. April 2024 16:05\nAn: Bob\nBetreff: Order",
        "*De :* Carl <carl@example.com>\n*Envoyé :* lundi 29 avril 2024 16:05\n*À :* Bob\n*Objet :* Order",
        f"{_FORWARDED}\nFrom: Carl <carl@example.com>\nDate: Mon, Apr 29, 2024 at 4:05 PM\nSubject: Order\nTo: Bob",
        "Begin forwarded message:\n\nFrom: Carl <carl@example.com>\n"
        "Subject: Order\nDate: 29 April 2024 at 16:05\nTo: Bob",
    ],
)
def test_what_stands_below_the_header_of_another_message_is_that_message(header: str):
    document = _parse(f"See below.\n\n{header}\n\nWe order ten.\n")
    assert _authors(document)[1] == ("Carl <carl@example.com>", "2024-04-29T16:05:00")
    assert document.blocks[2].attributes["subject"] == "Order"
    assert _shown(document)[-1] == ("paragraph", "We order ten.")


def test_a_line_that_only_names_a_sender_is_no_header():
    assert len(_authors(_parse("The goods come\n\nFrom: the north\n\nand go south."))) == 1


def test_flowed_lines_run_on():
    assert _parse("This line runs \non.\n-- \nAnna", "text/plain; format=flowed").text.endswith(
        "This line runs on.\n--\nAnna"
    )


def test_of_alternatives_plain_text_is_taken_and_html_where_there_is_no_other():
    both = "--b\nContent-Type: text/plain\n\nplain words\n--b\nContent-Type: text/html\n\n<p>rich words</p>\n--b--\n"
    assert _shown(_parse(both, 'multipart/alternative; boundary="b"'))[1:] == [("paragraph", "plain words")]
    only = both.replace("plain words", "")
    assert _shown(_parse(only, 'multipart/alternative; boundary="b"'))[1:] == [("paragraph", "rich words")]


def test_quotations_in_html_are_earlier_messages_too():
    html = (
        "<p>Yes.</p><div class=gmail_quote>"
        "<div>On Thu, May 2, 2024 at 9:05 AM Bob &lt;bob@example.com&gt; wrote:<br></div>"
        "<blockquote><p>Is it agreed?</p><p>Bob</p></blockquote></div><p style='display:none'>Unseen</p>"
    )
    document = _parse(html, "text/html; charset=utf-8")
    assert _authors(document)[1] == ("Bob <bob@example.com>", "2024-05-02T09:05:00")
    assert _shown(document)[-2:] == [("paragraph", "Is it agreed?"), ("paragraph", "Bob")]
    assert "Unseen" not in document.text


def test_attachments_are_named_and_messages_in_the_mail_are_read():
    body = (
        "--b\nContent-Type: text/plain\n\nSee both.\n"
        "--b\nContent-Type: application/pdf; name=x.pdf\nContent-Disposition: attachment;\n"
        " filename*=utf-8''Gr%C3%B6%C3%9Fe.pdf\n"
        "Content-Transfer-Encoding: base64\n\nJVBERi0=\n"
        "--b\nContent-Type: message/rfc822\n\nFrom: carl@example.com\nSubject: Order\n\nWe order ten.\n--b--\n"
    )
    document = _parse(body, 'multipart/mixed; boundary="b"')
    assert document.warnings == ("Attachments are not read here; send them on their own: Größe.pdf.",)
    assert _authors(document)[1] == ("carl@example.com", None)
    assert _shown(document)[-1] == ("paragraph", "We order ten.")


def test_a_mail_is_told_from_a_memorandum():
    memo = b"From: Anna\nTo: Bob\nSubject: Delivery\n\nWe deliver."
    assert parse(memo, filename="memo.txt").media_type == "text/plain"
    assert parse(memo, filename="memo.eml").media_type == "message/rfc822"
    assert parse(b"Message-ID: <1@x>\n" + memo, filename="1234").media_type == "message/rfc822"


@pytest.mark.parametrize(
    ("written", "read"),
    [("5/3/2024, 10:00", None), ("25/3/2024 10:00", "2024-03-25T10:00:00"), ("31 February 2024", None), ("soon", None)],
)
def test_a_date_that_reads_two_ways_or_none_is_left_unread(written: str, read: str | None):
    assert read_loose_date(written) == read
