"""When a figure has moved: pure decisions.

Figures of an index are held against the median of the last days. How far off a value may be follows from how much
those days differ among themselves: a modified z-score, (value - median) / (1.4826 * MAD), where MAD is the median
distance from the median (B. Iglewicz and D. Hoaglin, How to Detect and Handle Outliers, 1993, who take 3.5 for an
outlier). A few odd days among them change neither. Days that do not differ at all would make any change infinite, so
each figure has a floor, the spread that nobody would miss. The limit is 5 rather than 3.5, for every tenant is
looked at every day. In a simulation of made-up vectors, thirty libraries of 8 to 100 documents that grew by 1 to 40
a day for 60 days sounded no alarm about neighbours, and as many documents again of one kind sounded it that day.

Golden questions are pairs: the same question, then and now. Those that changed in one direction are told from those
that changed in the other by the exact sign test (McNemar's with exact binomial probabilities): were it chance, each
change would be a loss or a gain with one half each.
"""

import math
import statistics
from collections.abc import Mapping, Sequence

from .types import CheckStatus, Figures, Moved, Ranks, Verdict

LEAST_DAYS, MOST_DAYS = 7, 14
_LIMIT = 5.0
_FLOORS: Mapping[str, float] = {
    "mean_norm": 0.002,
    "norm_spread": 0.002,
    "non_unit_share": 0.01,
    "nearest_cosine": 0.01,
    "hubness": 0.02,
    "new_term_share": 0.05,
}

LEAST_RUNS = 3
"""Of golden questions, before they are judged."""
_CHANCE = 0.025  # of each of two tests, so that chance alone sounds an alarm on one day of twenty at most
_LEAST_FALL = 0.1  # of the mean reciprocal rank: answers that all slide from first to second are worth a word
_BEYOND = 11  # rank of an answer that is not among the first ten


def judge_figures(figures: Figures, history: Sequence[Figures]) -> Verdict:
    """Each figure against the same figure of up to fourteen usual days; those with fewer than seven are not judged."""
    moved: list[Moved] = []
    is_judged = False
    for name, floor in _FLOORS.items():
        usual = [day[name] for day in history if name in day]
        if name not in figures or len(usual) < LEAST_DAYS:
            continue
        is_judged = True
        median = statistics.median(usual)
        if robust_score(figures[name], usual, floor) > _LIMIT:
            moved.append(Moved(name, figures[name], median))
    status = CheckStatus.MOVED if moved else CheckStatus.NORMAL if is_judged else CheckStatus.LEARNING
    return Verdict(status, tuple(moved))


def robust_score(value: float, usual: Sequence[float], floor: float) -> float:
    """How many robust standard deviations, of at least `floor`, a value is away from the median."""
    median = statistics.median(usual)
    spread = 1.4826 * statistics.median(abs(each - median) for each in usual)
    return abs(value - median) / max(spread, floor)


def summarize(ranks: Ranks) -> Figures:
    """`recall_5`, `recall_10` and `mrr` (of the first ten) of these answers, 0 to 1, and how many questions it were."""
    if not ranks:
        return {}
    count = len(ranks)
    return {
        "questions": float(count),
        "recall_5": sum(1 <= rank <= 5 for rank in ranks.values()) / count,
        "recall_10": sum(rank >= 1 for rank in ranks.values()) / count,
        "mrr": sum(1 / rank for rank in ranks.values() if rank) / count,
    }


def judge_ranks(today: Ranks, history: Sequence[Ranks]) -> Verdict:
    """Whether fewer answers are found, or lower down, than was usual; only questions that were asked before count."""
    if len(history) < LEAST_RUNS:
        return Verdict(CheckStatus.LEARNING)
    before = _usual(today, history)
    now = {question: today[question] for question in before}
    if not now:
        return Verdict(CheckStatus.LEARNING)
    old, new = summarize(before), summarize(now)
    moved: list[Moved] = []
    lost = sum(bool(before[each]) and not now[each] for each in now)
    won = sum(bool(now[each]) and not before[each] for each in now)
    if chance_of_loss(lost, won) <= _CHANCE:
        moved.append(Moved("recall_10", new["recall_10"], old["recall_10"]))
    lower = sum(_place(now[each]) > _place(before[each]) for each in now)
    higher = sum(_place(now[each]) < _place(before[each]) for each in now)
    if old["mrr"] - new["mrr"] >= _LEAST_FALL and chance_of_loss(lower, higher) <= _CHANCE:
        moved.append(Moved("mrr", new["mrr"], old["mrr"]))
    return Verdict(CheckStatus.MOVED if moved else CheckStatus.NORMAL, tuple(moved))


def chance_of_loss(lost: int, won: int) -> float:
    """The probability of this many losses or more among all changes, were losses and gains equally likely."""
    changed = lost + won
    return sum(math.comb(changed, each) for each in range(lost, changed + 1)) / 2**changed


def _usual(today: Ranks, history: Sequence[Ranks]) -> dict[str, int]:
    """The middle of the ranks of each question that is asked today and was asked before."""
    usual: dict[str, int] = {}
    for question in today:
        places = [_place(day[question]) for day in history if question in day]
        if places:
            middle = statistics.median_low(places)
            usual[question] = 0 if middle == _BEYOND else middle
    return usual


def _place(rank: int) -> int:
    return rank or _BEYOND
