"""The component framework beside iPOPO, in alternating rounds, each in a process of its own.

Prints for each measurement the medians with the extremes, and how many times better pop is.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

WORKER = Path(__file__).with_name("frameworks.py")
PARTIES = ("ipopo", "pop")
RUNS = (
    ("registrations", 10_000),
    ("lookups", 1_000),
    ("lookups", 10_000),
    ("changes", 1_000),
    ("changes", 10_000),
    ("listeners", 1_000),
    ("events", 1),
    ("events", 100),
    ("components", 1_000),
    ("components", 10_000),
    ("late", 1_000),
    ("immediate", 1_000),
    ("importing", 1),
    ("calls", 5_000),
    ("websites", 2_000),
)
LARGE = (("components", 100_000),)
Reports = dict[str, list[float]]
"""By party, what each round took."""


def measure(party: str, case: str, size: int) -> dict[str, float]:
    """One round of one party."""
    command = [sys.executable, str(WORKER), party, case, str(size)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{party} {case} {size}:\n{done.stderr}")
    return {name: float(value) for name, value in json.loads(done.stdout).items()}


def rounds(case: str, size: int, count: int) -> dict[str, Reports]:
    """All rounds, by what is measured."""
    found: dict[str, Reports] = {}
    for _ in range(count):
        for party in PARTIES:
            for name, value in measure(party, case, size).items():
                found.setdefault(name, {}).setdefault(party, []).append(value)
    return found


def row(title: str, name: str, reports: Reports) -> str:
    """A row: the ratio is above 1 where pop is better, in whatever unit."""
    ipopo, pop = (statistics.median(reports[party]) for party in PARTIES)
    better = pop / ipopo if name.endswith("/s") else ipopo / pop
    cells = "".join(f"{cell(name, reports[party]):>34}" for party in PARTIES)
    return f"{title:<38}{cells}{better:>9.2f}"


def cell(name: str, values: list[float]) -> str:
    """Median and extremes, in operations a second, bytes or milliseconds."""
    scale, unit, digits = 1.0, "", 0
    if not name.endswith("/s") and not name.startswith("bytes"):
        scale, unit, digits = 1000.0, " ms", 1
    low, middle, high = (
        f"{scale * each:,.{digits}f}"
        for each in (min(values), statistics.median(values), max(values))
    )
    return f"{middle}{unit} ({low} - {high})"


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="one case")
    parser.add_argument("--large", action="store_true", help="100,000 components, too")
    parser.add_argument("--json", type=Path, help="where to write what each round took")
    given = parser.parse_args()
    print(f"{'median (min - max)':<38}{'iPOPO':>34}{'pop':>34}{'ratio':>9}")
    every = {}
    for case, size in RUNS + (LARGE if given.large else ()):
        if given.only not in (None, case):
            continue
        for name, reports in rounds(case, size, given.rounds).items():
            title = f"{case} {size:,}: {name}"
            every[title] = reports
            print(row(title, name, reports), flush=True)
    if given.json:
        given.json.write_text(json.dumps(every, indent=1))


if __name__ == "__main__":
    main()
