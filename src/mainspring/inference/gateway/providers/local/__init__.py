"""The local models: a child process that speaks the OpenAI dialect, and how to start it."""

from .assets import bundled_models, local_models_command

__all__ = ["bundled_models", "local_models_command"]
