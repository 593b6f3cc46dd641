"""Mainspring: the backend an AI-first B2B SaaS product runs on."""

__version__ = "0.1.0"
