"""A fleet whose processes are killed at random while it works; what it promised is counted afterwards.

`python -m bench.chaos` runs 1,000 runs of 5 steps on 3 workers and 2 APIs; `--runs 60 --seconds 15` is the short form.
"""
