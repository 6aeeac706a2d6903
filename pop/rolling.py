"""Doing something on several machines, one batch after the other, from one place."""

from collections.abc import Awaitable, Callable, Iterable

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pop.errors import PopError
from pop.roll import Begin, Done, Event, Failed, Roll, step
from pop.together import forget

Act = Callable[[str], Awaitable[str | None]]
"""(machine): does it there, and sees to it that the machine is in service again; gives why it
failed, or nothing. A L{PopError} is a failure, too."""


async def roll(machines: Iterable[str], batch: int, act: Act) -> Roll:
    """Act on all machines, in order, so many at a time, up to the first failure.

    Those that are under way when one fails are waited for. Cancelled, or at an error that is none
    of ours, all of them are cancelled.

    @return: how far it came: C{stopped} says why not further, C{waiting} where it was not begun.
    """
    return await _Course(Roll(batch, tuple(machines)), act).run()


class _Course:
    """One roll on its way."""

    def __init__(self, roll: Roll, act: Act) -> None:
        self._roll = roll
        self._act = act
        self._acting: dict[str, Deferred[str | None]] = {}
        self._over: Deferred[None] = Deferred()

    async def run(self) -> Roll:
        """All of it."""
        try:
            self._happened(Begin())
            await self._over
        finally:
            forget(list(self._acting.values()))
        return self._roll

    def _happened(self, event: Event) -> None:
        self._roll, begun = step(self._roll, event)
        for machine in begun:
            self._begin(machine)
        if not self._roll.going and not self._over.called:
            self._over.callback(None)

    def _begin(self, machine: str) -> None:
        acting = self._acting[machine] = Deferred.fromCoroutine(self._on(machine))
        acting.addCallbacks(self._ended, self._broken, callbackArgs=(machine,))

    async def _on(self, machine: str) -> str | None:
        try:
            return await self._act(machine)
        except PopError as error:
            return str(error).rstrip(".")

    def _ended(self, why: str | None, machine: str) -> None:
        self._acting.pop(machine, None)
        self._happened(Failed(machine, why) if why else Done(machine))

    def _broken(self, failure: Failure) -> None:
        """An error that nobody expected, unless we gave up already."""
        if not self._over.called:
            self._over.errback(failure)
