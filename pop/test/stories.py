"""Stories of clusters in trouble: machines, operators and accidents by chance, in virtual time.

C{python -m pop.test.stories --seeds 0:5000} tells that many; each is told the same again by its
number. What must always hold is looked at all the while, and what must come true once the
accidents are over, at the end of each chapter.
"""

import sys

from pop.test.accidents import Accidents
from pop.test.estates import SERVICES, Estate, Figures
from pop.test.operators import Operators
from pop.test.promises import Promises
from pop.test.telling import tell_all

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


if __name__ == "__main__":
    sys.exit(tell_all("pop.test.stories", Story, sys.argv[1:]))
