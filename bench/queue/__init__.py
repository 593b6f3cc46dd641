"""How our queue compares with others, in one run, on the same Postgres and the same Valkey.

Each library is played by two processes: one enqueues (`play.py`), the other is the worker
(`work.py`), and both write to one file of marks with the clock they share (`marks.py`).
"""
