"""The executive summary: templates of ours filled with facts, and quotes; every sentence checked."""

from .model_summary import MODEL_SUMMARY_SCHEMA, parse_model_summary
from .summarize import summarize

__all__ = ["MODEL_SUMMARY_SCHEMA", "parse_model_summary", "summarize"]
