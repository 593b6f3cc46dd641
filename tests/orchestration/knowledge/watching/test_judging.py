"""What counts as moved, and what as noise: pure decisions on made-up days."""

import random
from uuid import UUID

import numpy as np
import pytest

from mainspring.orchestration.knowledge.watching import CheckStatus, load_texts
from mainspring.orchestration.knowledge.watching.canary_figures import as_vectors, compare, judge, pack, unpack
from mainspring.orchestration.knowledge.watching.judging import (
    chance_of_loss,
    judge_figures,
    judge_ranks,
    robust_score,
    summarize,
)
from mainspring.orchestration.knowledge.watching.neighbours import LEAST_CHUNKS, measure_neighbours


def test_a_week_of_days_is_needed_before_a_figure_is_judged():
    usual = [{"mean_norm": 1.0}] * 6
    assert judge_figures({"mean_norm": 9.0}, usual).status is CheckStatus.LEARNING
    verdict = judge_figures({"mean_norm": 9.0}, [*usual, {"mean_norm": 1.0}])
    assert verdict.status is CheckStatus.MOVED
    assert [(each.figure, each.value, each.expected) for each in verdict.moved] == [("mean_norm", 9.0, 1.0)]


def test_a_figure_may_wander_as_far_as_it_usually_does():
    dice = random.Random(4)
    days = [{"nearest_cosine": dice.gauss(0.6, 0.02)} for _ in range(400)]
    verdicts = [judge_figures(today, days[place : place + 14]) for place, today in enumerate(days[14:])]
    assert sum(each.status is CheckStatus.MOVED for each in verdicts) <= 4
    assert judge_figures({"nearest_cosine": 0.3}, days[:14]).status is CheckStatus.MOVED


def test_odd_days_in_the_past_change_neither_what_is_usual_nor_how_far_it_spreads():
    usual = [0.6] * 11 + [0.1, 0.1, 0.99]
    assert robust_score(0.6, usual, 0.01) == 0
    assert robust_score(0.7, usual, 0.01) == pytest.approx(10)


def test_a_change_that_nobody_would_miss_is_none_even_if_nothing_ever_changed():
    assert judge_figures({"hubness": 0.14}, [{"hubness": 0.1}] * 14).status is CheckStatus.NORMAL
    assert judge_figures({"hubness": 0.24}, [{"hubness": 0.1}] * 14).status is CheckStatus.MOVED


@pytest.mark.parametrize(("lost", "won", "chance"), [(0, 0, 1.0), (1, 0, 0.5), (6, 0, 1 / 64), (3, 3, 42 / 64)])
def test_the_chance_of_losses_is_exact(lost: int, won: int, chance: float):
    assert chance_of_loss(lost, won) == pytest.approx(chance)


def test_recall_and_reciprocal_rank_are_of_the_first_five_and_ten():
    figures = summarize({"a": 1, "b": 4, "c": 10, "d": 0})
    assert figures == {"questions": 4, "recall_5": 0.5, "recall_10": 0.75, "mrr": pytest.approx((1 + 0.25 + 0.1) / 4)}
    assert summarize({}) == {}


def test_a_few_lost_answers_are_noise_and_six_are_not():
    usual = [{str(number): 1 for number in range(20)}] * 3

    def lose(count: int, *, win: int = 0) -> CheckStatus:
        before = [{**day, **{f"new {number}": 0 for number in range(win)}} for day in usual]
        today = {str(number): 0 if number < count else 1 for number in range(20)}
        return judge_ranks(today | {f"new {number}": 1 for number in range(win)}, before).status

    assert [lose(0), lose(3), lose(6)] == [CheckStatus.NORMAL, CheckStatus.NORMAL, CheckStatus.MOVED]
    assert lose(6, win=5) is CheckStatus.NORMAL
    assert judge_ranks({"a": 0}, [{"a": 1}] * 2).status is CheckStatus.LEARNING


def test_answers_that_all_slide_down_are_told_though_each_is_still_found():
    usual = [{str(number): 1 for number in range(10)}] * 3
    verdict = judge_ranks({str(number): 3 for number in range(10)}, usual)
    assert [each.figure for each in verdict.moved] == ["mrr"]
    assert judge_ranks({str(number): 1 for number in range(10)}, usual).moved == ()


def test_questions_that_are_new_or_gone_are_no_loss():
    usual = [{"old": 1, "gone": 1}] * 3
    assert judge_ranks({"old": 1} | {f"new {number}": 0 for number in range(20)}, usual).status is CheckStatus.NORMAL
    assert judge_ranks({"other": 0}, usual).status is CheckStatus.LEARNING


def _vectors(seed: int, size: int = 64) -> list[list[float]]:
    drawn = np.random.default_rng(seed).normal(size=(40, size))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).tolist()


def test_the_same_vectors_have_not_moved_nor_has_rounding_moved_them():
    baseline = as_vectors(_vectors(1))
    noise = np.random.default_rng(2).normal(scale=1e-4, size=baseline.shape).astype(np.float32)
    assert (unpack(pack(baseline)) == baseline).all()
    assert judge(compare(baseline, unpack(pack(baseline)))).moved == ()
    assert judge(compare(baseline, baseline + noise)).moved == ()


def test_turned_stretched_shortened_broken_and_other_vectors_have_moved():
    baseline = as_vectors(_vectors(1))
    turned = np.roll(baseline, 1, axis=1)
    broken = baseline.copy()
    broken[7] = np.nan
    for today in (turned, baseline * 1.05, baseline[:, :32], as_vectors(_vectors(3)), as_vectors(broken.tolist())):
        assert judge(compare(baseline, today)).status is CheckStatus.MOVED
    assert [each.figure for each in judge(compare(baseline, baseline * 1.05)).moved] == ["norm_change"]


def test_the_canary_speaks_of_many_things_and_says_nothing_twice():
    texts = load_texts()
    assert len(texts) == len(set(texts)) == 40
    assert all(texts)


def test_neighbours_are_of_other_documents_and_crowding_shows():
    documents = [UUID(int=place % 10) for place in range(200)]
    dice = np.random.default_rng(5)
    spread = dice.normal(size=(200, 32))
    crowded = spread * 0.2 + dice.normal(size=32)
    loose, tight = measure_neighbours(documents, spread.tolist()), measure_neighbours(documents, crowded.tolist())
    assert 0 < loose["nearest_cosine"] < tight["nearest_cosine"] < 1
    copies = [[1.0, 0.0, float(document.int)] for document in documents]
    assert measure_neighbours(documents, copies)["nearest_cosine"] < 1
    assert measure_neighbours([UUID(int=1)] * 200, spread.tolist()) == {}
    few = LEAST_CHUNKS - 1
    assert measure_neighbours(documents[:few], spread[:few].tolist()) == {}
