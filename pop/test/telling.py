"""Telling stories, each of which is known by its number."""

import argparse
from collections.abc import Callable, Sequence
from time import perf_counter  # how long stories take is what is measured
from typing import Protocol

from twisted.trial.unittest import SynchronousTestCase

from pop.test.estates import Estate, Figures
from pop.test.promises import WrongTurn


class Tale(Protocol):
    """What can be told."""

    estate: Estate

    def tell(self) -> Figures: ...


def told_well(
    case: SynchronousTestCase, story: Callable[[int], Tale], seeds: Sequence[int]
) -> None:
    """Tell some stories in a test; one that goes wrong is printed, with how to be told it again."""
    for seed in seeds:
        tale = story(seed)
        try:
            tale.tell()
        except WrongTurn as error:
            told = "\n".join(tale.estate.figures.told)
            case.fail(f"python -m {type(tale).__module__} --seeds {seed}: {error}\n{told}")


def tell_all(module: str, story: Callable[[int], Tale], arguments: list[str]) -> int:
    """Tell those that a command asks for; the end of those that took a wrong turn is printed."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}")
    parser.add_argument("--seeds", default="0:1000", help="FIRST:END, or one number")
    first, _, end = parser.parse_args(arguments).seeds.partition(":")
    seeds = range(int(first), int(end or int(first) + 1))
    began, total, wrong = perf_counter(), Figures(), 0
    for seed in seeds:
        tale = story(seed)
        try:
            figures = tale.tell()
        except Exception as error:
            wrong += 1
            print(f"seed {seed}: {type(error).__name__}: {error}")
            print("\n".join(tale.estate.figures.told), flush=True)
            continue
        if len(seeds) == 1:
            print("\n".join(figures.told))
        total.accidents += figures.accidents
        total.processes += figures.processes
        total.seconds += figures.seconds
    print(
        f"{len(seeds)} stories in {perf_counter() - began:.1f} s: {total.accidents} accidents,"
        f" {total.processes} processes, {total.seconds / 3600:.0f} hours; {wrong} went wrong"
    )
    return 1 if wrong else 0
