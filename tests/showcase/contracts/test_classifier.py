"""The shipped clause classifier: what it promises to whoever hands it clauses."""

import io
import time
from collections.abc import Sequence
from importlib.resources import files
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from mainspring.orchestration.knowledge.types import Chunk
from mainspring.showcase.contracts.categories import CATEGORY_NAMES
from mainspring.showcase.contracts.classifier import ClauseClassifier
from mainspring.showcase.contracts.classifier.features import (
    OPENING_WORDS,
    STEMS,
    FeatureSpace,
    split_pieces,
    split_words,
)
from mainspring.showcase.contracts.classifier.model_file import pack_weights, read_model, unpack_weights, write_model
from mainspring.showcase.contracts.classifier.signals import FLOOR, signals_in_contract
from mainspring.showcase.contracts.types import Method
from tools.clause_classifier.card import render_card
from tools.clause_classifier.corpus import find_data
from tools.clause_classifier.heldout import measure, read_held_out
from tools.clause_classifier.report import decode_report
from tools.train_clause_classifier import ATTRIBUTION

DATA = files("mainspring.showcase.contracts").joinpath("data")

CLEAR = {
    "Governing Law": "14.3 Governing Law. This Agreement is governed by and construed in accordance with the laws of "
    "the State of Oregon, without regard to its conflict of laws rules.",
    "Anti-Assignment": "Assignment. Neither party may assign this Agreement or any of its rights hereunder without the "
    "prior written consent of the other party, and any attempt to do so is void.",
    "Insurance": "Insurance. Supplier shall maintain commercial general liability insurance with limits of at least "
    "$2,000,000 per occurrence and shall name Buyer as an additional insured.",
    "Audit Rights": "Audit. Licensor may, on ten days' notice and during business hours, inspect and audit the books "
    "and records of Licensee to verify the royalties due under this Agreement.",
    "Cap on Liability": "Limitation of Liability. In no event shall either party's aggregate liability under this "
    "Agreement exceed the fees paid by Customer in the twelve months before the claim arose.",
    "License Grant": "License. Licensor hereby grants to Licensee a non-exclusive license to use the Software and the "
    "Documentation during the Term for its internal business purposes.",
    "Termination for Convenience": "Either party may terminate this Agreement at any time, for any reason or none, "
    "upon sixty (60) days prior written notice to the other party.",
    "Renewal Term": "After the initial term this Agreement shall renew automatically for successive periods of one "
    "year each, unless either party gives notice of non-renewal.",
    "No-Solicit of Employees": "During the term and for one year thereafter, neither party shall hire, or "
    "solicit for employment, any employee of the other party.",
}
PLAIN = (
    "2.1 Deliveries. Supplier packs the goods in wooden crates and marks every crate with the order number.",
    "Notices are in writing and are sent by courier to the address on the first page.",
    "The parties meet on the first Monday of each month to discuss the progress of the works.",
)


@pytest.fixture(scope="module")
def classifier() -> ClauseClassifier:
    return ClauseClassifier.load()


def chunked(texts: Sequence[str]) -> tuple[Chunk, ...]:
    starts = np.cumsum([0, *(len(text) + 1 for text in texts)]).tolist()
    return tuple(Chunk(place, starts[place], starts[place] + len(text), text) for place, text in enumerate(texts))


def test_the_categories_are_the_38_of_the_room(classifier: ClauseClassifier) -> None:
    assert classifier.categories == CATEGORY_NAMES
    assert len(classifier.categories) == 38


def test_the_shipped_file_is_read_once_and_known_by_its_digest(classifier: ClauseClassifier) -> None:
    content = DATA.joinpath("clause_classifier.npz").read_bytes()
    assert ClauseClassifier.load() is classifier
    assert classifier.version == ClauseClassifier.from_bytes(content).version
    assert len(content) < 5_000_000


def test_the_model_card_is_that_of_the_shipped_file(classifier: ClauseClassifier) -> None:
    card = DATA.joinpath("CLAUSE_CLASSIFIER.md").read_text("utf-8")
    report = decode_report(DATA.joinpath("clause_classifier.json").read_bytes())
    assert report.version == classifier.version
    assert render_card(report, ATTRIBUTION) == card
    assert "CC BY 4.0" in card
    assert "The Atticus Project" in card


@pytest.mark.parametrize("category", CLEAR)
def test_a_clear_clause_gets_its_label(classifier: ClauseClassifier, category: str) -> None:
    (classified,) = classifier.classify(chunked([CLEAR[category]]))
    assert category in [label.category for label in classified.labels]


def test_clear_clauses_are_told_apart_inside_one_contract(classifier: ClauseClassifier) -> None:
    classified = classifier.classify(chunked([*PLAIN[:2], *CLEAR.values(), PLAIN[2]]))
    best = [each.labels[0].category if each.labels else None for each in classified]
    assert best == [None, None, *CLEAR, None]


def test_labels_are_calibrated_sorted_and_at_or_above_the_threshold(classifier: ClauseClassifier) -> None:
    text = f"{CLEAR['License Grant']} {CLEAR['Anti-Assignment']} {CLEAR['Cap on Liability']}"
    (classified,) = classifier.classify(chunked([text]))
    probabilities = [label.probability for label in classified.labels]
    assert len(probabilities) >= 2
    assert probabilities == sorted(probabilities, reverse=True)
    assert all(classifier.threshold <= value <= 1 for value in probabilities)
    assert {label.method for label in classified.labels} == {Method.CLASSIFIER}


def test_chunks_come_back_as_they_went_in(classifier: ClauseClassifier) -> None:
    chunks = chunked(list(CLEAR.values()))
    assert tuple(each.chunk for each in classifier.classify(chunks)) == chunks


def test_nothing_in_gives_nothing_out(classifier: ClauseClassifier) -> None:
    assert classifier.classify([]) == ()
    assert classifier.probabilities([]).shape == (0, 38)
    assert classifier.probabilities_of_passages([]).shape == (0, 38)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n\t ",
        "...",
        "本合同适用中华人民共和国法律。",
        "Настоящий договор регулируется правом.",
        "\x00\ufffd",
        "🙂" * 50,
    ],
)
def test_text_without_known_words_gets_no_label(classifier: ClauseClassifier, text: str) -> None:
    (classified,) = classifier.classify(chunked([text]))
    assert classified.labels == ()


def test_a_very_long_text_is_read_in_linear_time(classifier: ClauseClassifier) -> None:
    started = time.process_time()
    probabilities = classifier.probabilities([" ".join([*CLEAR.values(), *PLAIN] * 1_000)])
    assert time.process_time() - started < 15
    assert np.isfinite(probabilities).all()


@settings(max_examples=50, deadline=None)
@given(texts=st.lists(st.text(max_size=300), max_size=6))
def test_any_text_gives_a_probability(texts: list[str]) -> None:
    classifier = ClauseClassifier.load()
    ways = (classifier.probabilities, classifier.probabilities_in_contract, classifier.probabilities_of_passages)
    for probabilities in (way(texts) for way in ways):
        assert probabilities.shape == (len(texts), 38)
        assert probabilities.dtype == np.float32
        assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_the_same_clauses_give_the_same_probabilities_in_any_batch(classifier: ClauseClassifier) -> None:
    texts = [*CLEAR.values(), *PLAIN] * 60
    together = classifier.probabilities(texts)
    np.testing.assert_array_equal(together, classifier.probabilities(texts))
    one_by_one = np.concatenate([classifier.probabilities([text]) for text in texts[:12]])
    np.testing.assert_allclose(together[:12], one_by_one, atol=1e-6)


def test_line_breaks_of_a_page_do_not_change_the_reading(classifier: ClauseClassifier) -> None:
    text = CLEAR["Audit Rights"]
    wrapped = text.replace(" ", "\n   ")
    np.testing.assert_array_equal(classifier.probabilities([text]), classifier.probabilities([wrapped]))


def test_a_chosen_passage_finds_its_category(classifier: ClauseClassifier) -> None:
    probabilities = classifier.probabilities_of_passages(list(CLEAR.values()))
    best = [classifier.categories[place] for place in probabilities.argmax(axis=1)]
    assert best == list(CLEAR)
    assert 0 < classifier.passage_threshold < 1


def test_runtime_features_are_those_of_a_plain_tfidf(classifier: ClauseClassifier) -> None:
    texts = [*CLEAR.values(), *PLAIN, "", "Zweck 12 and 1.2.3 OF\nTHE the the"]
    space = small_space(texts)
    names = [*space.words, *(f"{space.words[p // 8]} {space.words[p % 8]}" for p in space.pairs.tolist())]
    names += [*(f"^{space.words[place]}" for place in space.openings.tolist()), *(f"~{stem}" for stem in space.stems)]
    counter = TfidfVectorizer(analyzer=named_features, vocabulary=names, sublinear_tf=True, norm="l2")  # pyright: ignore[reportArgumentType] - the stub knows names only
    counter.idf_ = space.weights.astype(np.float64)
    ours = space.wholes(space.read(texts))
    np.testing.assert_allclose(ours.toarray(), csr_matrix(counter.transform(texts)).toarray(), atol=1e-6)


def small_space(texts: Sequence[str]) -> FeatureSpace:
    """Eight words; every pair of them that occurs nowhere, somewhere or often, four openings, six stems."""
    words = tuple(sorted({"0", "agreement", "any", "of", "party", "the", "this", "to"}))
    pairs = np.arange(0, 64, 3, dtype=np.int64)
    openings = np.array([0, 2, 5, 6], np.int64)
    stems = ("agree", "agre", "agreem", "insu", "liab", "suppli")
    weights = np.linspace(1, 3, len(words) + len(pairs) + len(openings) + len(stems), dtype=np.float32)
    assert any(word in split_words(text) for text in texts for word in words)
    return FeatureSpace(words, pairs, openings, stems, weights)


def named_features(text: str) -> list[str]:
    words = split_words(text)
    pairs = [f"{left} {right}" for left, right in pairwise(words)]
    stems = [f"~{word[:letters]}" for word in words for letters in STEMS if len(word) > letters]
    return [*words, *pairs, *(f"^{word}" for word in words[:OPENING_WORDS]), *stems]


@pytest.mark.parametrize("text", ["", "Short.", "A. B. C.", f"{CLEAR['Insurance']} (a) Then this. (b) Then that."])
def test_pieces_hold_every_word_of_the_text_in_order(text: str) -> None:
    pieces = split_pieces(text)
    assert pieces
    assert [word for piece in pieces for word in split_words(piece)] == split_words(text)


def test_a_clause_without_neighbours_sees_the_floor() -> None:
    scores = np.array([[0.5, -1.0]], np.float32)
    signals = signals_in_contract(scores, scores)
    np.testing.assert_allclose(signals[0, :, 3:], FLOOR)
    np.testing.assert_allclose(signals[0, :, 2], [-1.0, 0.5])


def test_a_clause_is_compared_with_the_best_of_the_others() -> None:
    whole = np.array([[0.9], [0.3], [-0.4]], np.float32)
    signals = signals_in_contract(whole, whole)
    np.testing.assert_allclose(signals[:, 0, 3], [FLOOR, 0.9, 0.3], atol=1e-6)
    np.testing.assert_allclose(signals[:, 0, 4], [0.3, -0.4, FLOOR], atol=1e-6)
    np.testing.assert_allclose(signals[:, 0, 5], [0.3, 0.9, 0.9], atol=1e-6)


def test_packed_weights_keep_their_sign_and_nearly_their_size() -> None:
    weights = np.random.default_rng(1).normal(0, 0.3, (500, 4)).astype(np.float32)
    unpacked = unpack_weights(*pack_weights(weights))
    np.testing.assert_allclose(unpacked, weights, atol=0.01 * float(np.abs(weights).max()))
    np.testing.assert_array_equal(unpack_weights(*pack_weights(unpacked)), unpacked)


def test_writing_what_was_read_gives_the_same_bytes() -> None:
    content = DATA.joinpath("clause_classifier.npz").read_bytes()
    assert write_model(read_model(content)) == content


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\x80\x04N."])
def test_what_is_not_a_model_file_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a clause model"):
        ClauseClassifier.from_bytes(content)


def test_a_pickled_array_in_the_file_is_refused() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, about=np.array([{"format": 1}], dtype=object))
    with pytest.raises(ValueError, match="not a clause model"):
        ClauseClassifier.from_bytes(buffer.getvalue())


def test_unseen_contracts_are_read_better_than_the_plain_way(classifier: ClauseClassifier) -> None:
    data = find_data(None)
    if data is None:
        pytest.skip("no contract data: set MAINSPRING_CONTRACT_DATA")
    figures = measure(classifier, read_held_out(data))
    assert figures.span.micro > 0.815
    assert figures.clause.micro > 0.70
    assert figures.contract.micro > 0.83
    assert figures.reliability.ece_likely < 0.08
