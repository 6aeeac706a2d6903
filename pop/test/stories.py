"""Stories of clusters in trouble: machines, operators and accidents by chance, in virtual time.

C{python -m pop.test.stories --seeds 0:5000} tells that many; each is told the same again by its
number. What must always hold is looked at all the while, and what must come true once the
accidents are over, at the end of each chapter.
"""

import argparse
import sys
from time import perf_counter  # how long stories take is what is measured

from pop.test.accidents import Accidents
from pop.test.estates import SERVICES, Estate, Figures
from pop.test.operators import Operators
from pop.test.promises import Promises

CHAPTERS = 2
ACCIDENTS = 20
"""In each chapter."""
BOUND = 80.0
"""Seconds after the last accident within which all is well: a failed one's trial, and a start."""


class Story:
    """One estate, from its beginning to its end."""

    def __init__(self, seed: int) -> None:
        self.estate = Estate(seed)
        self.promises = Promises(self.estate)
        self.estate.look = self.promises.check
        self._operators = Operators(self.estate)
        self._accidents = Accidents(self.estate, self._operators.operate)

    def tell(self) -> Figures:
        """All of it.

        @raise WrongTurn: something that must not happen did.
        """
        estate = self.estate
        for host in estate.hosts.values():
            host.start()
        for name in SERVICES:
            self._operators.add(name)
        for _ in range(CHAPTERS):
            self._tell_chapter()
        estate.close()
        estate.figures.seconds = estate.now
        estate.figures.processes = sum(len(h.spawner.spawned) for h in estate.hosts.values())
        return estate.figures

    def _tell_chapter(self) -> None:
        estate = self.estate
        for _ in range(ACCIDENTS):
            self._accidents.happen()
            pause = estate.chance.choice((0.0, 0.0, 0.1, 0.5, 1.0, estate.chance.uniform(0, 10)))
            estate.advance(pause)
        estate.say("all is well from now on")
        self._accidents.heal()
        estate.advance(BOUND)
        self.promises.check_end()


def main(arguments: list[str]) -> int:
    """Tell stories; those that took a wrong turn are printed."""
    parser = argparse.ArgumentParser(prog="python -m pop.test.stories")
    parser.add_argument("--seeds", default="0:1000", help="FIRST:END, or one number")
    first, _, end = parser.parse_args(arguments).seeds.partition(":")
    seeds = range(int(first), int(end or int(first) + 1))
    began, total, wrong = perf_counter(), Figures(), 0
    for seed in seeds:
        story = Story(seed)
        try:
            figures = story.tell()
        except Exception as error:
            wrong += 1
            print(f"seed {seed}: {type(error).__name__}: {error}")
            print("\n".join(story.estate.figures.told), flush=True)
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
