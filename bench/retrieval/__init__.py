"""How well clauses of real contracts are found: `python -m bench.retrieval`."""
