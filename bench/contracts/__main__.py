"""Analyse labelled contracts through the API of a whole system, and say how well and how fast that went.

    python -m bench.contracts [--limit N] [--json FILE]

A throwaway system with one worker is started in a temporary folder. The contracts are read from
MAINSPRING_CONTRACT_DATA, else from shared/data/contracts beside the repository; without them there
is nothing to measure. Exit code 1 when an analysis failed, a citation is wrong, or sending the same
files again started anything.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mainspring.entry.client import MainspringClient
from tests.stack import run_stack
from tools.clause_classifier.corpus import find_data

from .analysing import Analysed, read_results, send_again, upload_all
from .figures import Figures, compose_figures
from .first_events import time_first_events
from .samples import Sample, read_samples
from .table import show

AT_ONCE = 4
FIRST_EVENTS = 60
SHORTEST = 12


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and answer whether everything held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=_positive, metavar="N", help="only N files, of every format in turn")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    options = parser.parse_args(arguments)
    data = find_data(None)
    if data is None:
        print("Skipped: the labelled contracts are not here; set MAINSPRING_CONTRACT_DATA to their folder.")
        return 0
    samples = read_samples(data, options.limit)
    figures = measure(samples, first_events=min(FIRST_EVENTS, 5 * len(samples)))
    print(show(figures))
    if options.json:
        options.json.write_text(json.dumps(asdict(figures), indent=2) + "\n")
    return 0 if figures.is_sound else 1


def measure(samples: Sequence[Sample], *, first_events: int) -> Figures:
    """Everything, on a system that exists for as long as it takes."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="mainspring-bench-") as folder, _progress() as progress:
        starting = progress.add_task("Starting a system", total=None)
        with run_stack(Path(folder)) as stack, stack.client(stack.person("bench")) as client:
            progress.remove_task(starting)
            return _measure(client, samples, first_events, load, progress)


def _measure(
    client: MainspringClient, samples: Sequence[Sample], first_events: int, load: float, progress: Progress
) -> Figures:
    def bar(title: str, total: int) -> Callable[[], None]:
        task = progress.add_task(title, total=total)
        return lambda: progress.advance(task)

    uploads = upload_all(client, samples, at_once=AT_ONCE, advance=bar("Analysing", len(samples)))
    results = read_results(client, uploads, advance=bar("Reading the reports", len(samples)))
    again = send_again(client, samples, advance=bar("Sending the same files again", len(samples)))
    # Last, because an analysis that was cancelled would be started again by sending its file.
    analysed = sorted((each for each in results if isinstance(each, Analysed)), key=lambda each: len(each.text.text))
    shortest = [each.report.contract.id for each in analysed[:SHORTEST]]
    at_rest = time_first_events(client, shortest, first_events, advance=bar("Timing first events", first_events))
    return compose_figures(results, at_rest, again, load)


def _progress() -> Progress:
    columns = (TextColumn("{task.description:<30}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(file=sys.stderr))


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of files: give 1 or more")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
