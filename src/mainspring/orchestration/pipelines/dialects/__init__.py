"""Dialects: the story of a run in the protocols of frontends, AG-UI and the Vercel AI SDK's UI message stream.

Pure functions over the events of a run from its beginning. Who joins late, or comes again, is told the whole story.
"""

from .ag_ui import AgUi, Conversation
from .ai_sdk import DONE, HEADERS, AiSdk
from .streaming import ag_ui_frames, ai_sdk_frames, build_dialect_router, translate

__all__ = [
    "DONE",
    "HEADERS",
    "AgUi",
    "AiSdk",
    "Conversation",
    "ag_ui_frames",
    "ai_sdk_frames",
    "build_dialect_router",
    "translate",
]
