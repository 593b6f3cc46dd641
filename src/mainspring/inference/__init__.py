"""Tier 1: one model call, done well."""
