"""Plumbing and shared words; imports nothing above itself."""
