"""Finding passages: by meaning, by words, by exact terms and by what products know, fused and explained."""

from .models import GatewayModels, Models
from .search import Search
from .types import (
    Answer,
    Citation,
    Explanation,
    Filters,
    LabelScore,
    ListPlace,
    Mode,
    Passage,
    Period,
    Question,
    Reason,
    Searched,
    Span,
    TermScore,
)

__all__ = [
    "Answer",
    "Citation",
    "Explanation",
    "Filters",
    "GatewayModels",
    "LabelScore",
    "ListPlace",
    "Mode",
    "Models",
    "Passage",
    "Period",
    "Question",
    "Reason",
    "Search",
    "Searched",
    "Span",
    "TermScore",
]
