"""The same questions to every option, and how many of the ten nearest come back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .corpus import Corpus
from .rig import Rig, SizeClass, Timing, as_text, pick_tenants, summarise

CANDIDATES = 100  # what a search asks for, to fuse it with what the words found
NEAREST = 10
EXACT = "embedding <=> %(vector)s::halfvec"
APPROXIMATE = "embedding::halfvec(384) <=> %(vector)s::halfvec(384)"
ITERATIVE = {"hnsw.iterative_scan": "relaxed_order", "hnsw.ef_search": "400"}
PROMOTED = {**ITERATIVE, "enable_sort": "off"}
"""The planner takes a tenant's rows for fewer than they are, and would rather compare and sort them."""

Found = tuple[object, object]


@dataclass(frozen=True, slots=True)
class Way:
    """How an option answers one tenant: from which table, in which order, with which settings."""

    table: str
    distance: str = EXACT
    settings: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class Questions:
    """What is asked of whom, with the true answers, found by comparing every vector of the tenant."""

    rig: Rig
    corpus: Corpus
    classes: tuple[SizeClass, ...]
    each: int
    _texts: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    _truth: dict[int, list[set[Found]]] = field(default_factory=dict[int, list[set[Found]]])

    def among(self, places: frozenset[int], tenants: int) -> "Questions":
        """The same for some of the tenants only."""
        chosen = tuple(
            SizeClass(each.name, tuple(place for place in each.places if place in places)[:tenants])
            for each in pick_tenants(self.corpus, len(self.corpus.holdings))
        )
        classes = tuple(each for each in chosen if each.places)
        return Questions(self.rig, self.corpus, classes, self.each, self._texts, self._truth)

    @property
    def places(self) -> tuple[int, ...]:
        """Everybody who is asked."""
        return tuple(place for each in self.classes for place in each.places)

    def ask_all(self, way_of: Callable[[int], Way]) -> dict[str, Timing]:
        """Time and recall by size of tenant; the first question of each tenant only warms up."""
        return {each.name: self._ask_class(each, way_of) for each in self.classes}

    def _ask_class(self, of: SizeClass, way_of: Callable[[int], Way]) -> Timing:
        milliseconds: list[float] = []
        recalls: list[float] = []
        for place in of.places:
            truth, way = self._true_answers(place), way_of(place)
            self._ask(place, self._vectors(place)[0], way)
            for vector, wanted in zip(self._vectors(place), truth, strict=True):
                took, found = self._ask(place, vector, way)
                milliseconds.append(took)
                recalls.append(len(wanted & set(found[:NEAREST])) / len(wanted))
        return summarise(milliseconds, recalls)

    def _vectors(self, place: int) -> list[str]:
        if place not in self._texts:
            self._texts[place] = [as_text(vector) for vector in self.corpus.queries(place, self.each)]
        return self._texts[place]

    def _true_answers(self, place: int) -> list[set[Found]]:
        if place not in self._truth:
            way = Way("chunk_vector")
            answers = (self._ask(place, vector, way)[1] for vector in self._vectors(place))
            self._truth[place] = [set(found[:NEAREST]) for found in answers]
        return self._truth[place]

    def _ask(self, place: int, vector: str, way: Way) -> tuple[float, list[Found]]:
        holding = self.corpus.holdings[place]
        return self.rig.ask(
            holding.tenant,
            f"select document_id, ordinal from {way.table} where tenant_id = %(tenant)s and index_id = %(index)s "
            f"order by {way.distance} limit {CANDIDATES}",
            {"tenant": holding.tenant, "index": holding.index, "vector": vector},
            way.settings,
        )
