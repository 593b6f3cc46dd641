"""A thousand clients on one API process: how late events come, and what clients cost that do not read.

`python -m bench.streams [--clients 1000] [--seconds 20] [--rate 20]`; `--short` is what CI runs.
"""
