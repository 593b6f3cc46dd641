"""Canonical JSON as RFC 8785 writes it, and the digest over it."""

import hashlib
import struct

import pytest
import rfc8785

from mainspring.orchestration.approvals import ProposalRefused
from mainspring.orchestration.approvals.content import make_content, read_content
from mainspring.orchestration.approvals.types import MAX_CONTENT_BYTES

# RFC 8785, section 3.2.2, and its bytes in 3.2.4.
SAMPLE = {
    "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
    "literals": [None, True, False],
}
SAMPLE_BYTES = (
    b'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
    b'"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
)

# RFC 8785, section 3.2.3: properties sorted by UTF-16 code units.
UNSORTED = {
    "\u20ac": "Euro Sign",
    "\r": "Carriage Return",
    "\ufb33": "Hebrew Letter Dalet With Dagesh",
    "1": "One",
    "\U0001f600": "Emoji: Grinning Face",
    "\u0080": "Control",
    "\u00f6": "Latin Small Letter O With Diaeresis",
}
SORTED = [
    "Carriage Return",
    "One",
    "Control",
    "Latin Small Letter O With Diaeresis",
    "Euro Sign",
    "Emoji: Grinning Face",
    "Hebrew Letter Dalet With Dagesh",
]

# RFC 8785, appendix B: doubles by their bits, and how they are written.
DOUBLES = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]


def test_the_rfcs_sample_is_written_byte_for_byte():
    assert rfc8785.dumps(SAMPLE) == SAMPLE_BYTES


def test_keys_are_sorted_as_the_rfc_sorts_them():
    arguments, _ = read_content(make_content("a", UNSORTED, None).text)
    assert list(arguments.values()) == SORTED


@pytest.mark.parametrize(("bits", "written"), DOUBLES)
def test_doubles_are_written_as_the_rfc_writes_them(bits: str, written: str):
    (double,) = struct.unpack(">d", bytes.fromhex(bits))
    assert rfc8785.dumps(double).decode() == written


def test_the_digest_is_sha_256_of_action_arguments_and_output():
    content = make_content("mail.send", {"to": "a@example.com", "copies": 2.0}, "Dear A")
    expected = b'{"action":"mail.send","arguments":{"copies":2,"to":"a@example.com"},"output":"Dear A"}'
    assert content.text.encode() == expected
    assert content.digest == hashlib.sha256(expected).hexdigest()


def test_order_of_keys_changes_nothing_and_any_value_does():
    content = make_content("a", {"x": 1, "y": [1, 2]}, None)
    assert make_content("a", {"y": [1, 2], "x": 1}, None) == content
    assert len({content.digest, make_content("b", {"x": 1, "y": [1, 2]}, None).digest}) == 2
    assert make_content("a", {"x": 1, "y": [2, 1]}, None).digest != content.digest
    assert make_content("a", {"x": 1, "y": [1, 2]}, "").digest != content.digest


def test_what_is_read_back_has_the_same_digest():
    for number in (1e20, -1e20, 9007199254740991, 0.1, -0.0, 1e300):
        content = make_content("a", {"n": number}, [number])
        assert make_content("a", *read_content(content.text)) == content


def nested(depth: int) -> object:
    inner: object = None
    for _ in range(depth):
        inner = [inner]
    return inner


@pytest.mark.parametrize(
    "arguments",
    [
        2**53,
        float("nan"),
        float("inf"),
        {1: "a"},
        {"a": b"bytes"},
        "\ud800",
        {"\ud800": 1},
        nested(65),
        "a\0b",
        {"\0": 1},
    ],
    ids=["integer", "nan", "infinity", "key", "bytes", "surrogate", "surrogate key", "deep", "nul", "nul key"],
)
def test_what_is_no_exact_json_is_refused(arguments: object):
    with pytest.raises(ProposalRefused):
        make_content("a", arguments, None)


def test_what_looks_like_nul_and_is_none_is_kept():
    assert read_content(make_content("a", "\\u0000", {"\\\\u0000": nested(63)}).text)[0] == "\\u0000"


def test_what_is_too_large_to_be_read_by_a_person_is_refused_with_the_limit():
    with pytest.raises(ProposalRefused, match="262,144"):
        make_content("a", "x" * MAX_CONTENT_BYTES, None)
