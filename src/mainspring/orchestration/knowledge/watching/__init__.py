"""The daily watch over embeddings and retrieval: what moved, who was told, and questions with known answers."""

from .canary import load_texts
from .golden import MOST_CHARACTERS, MOST_QUESTIONS, GoldenQuestions
from .records import Records
from .types import (
    Alert,
    Check,
    CheckKind,
    CheckStatus,
    GoldenQuestion,
    Moved,
    NewGoldenQuestion,
    SearchedIndex,
    Subject,
)
from .watch import QUESTIONS, Watch

__all__ = [
    "MOST_CHARACTERS",
    "MOST_QUESTIONS",
    "QUESTIONS",
    "Alert",
    "Check",
    "CheckKind",
    "CheckStatus",
    "GoldenQuestion",
    "GoldenQuestions",
    "Moved",
    "NewGoldenQuestion",
    "Records",
    "SearchedIndex",
    "Subject",
    "Watch",
    "load_texts",
]
