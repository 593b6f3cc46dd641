"""The clause classifier that ships with the package: CUAD's 38 categories, calibrated, without a model call."""

from .classify import ClauseClassifier

__all__ = ["ClauseClassifier"]
