"""Components that configurations ask for: one for each configuration of the factory
C{pelix.ipopo.component}.

A configuration says the component's factory as C{ipopo.factory.name}, its name as C{instance.name},
if it is not to be that of the PID, and its properties. With C{ipopo.update.policy} C{"restart"} the
component is made anew when the configuration changes; else its properties change in flight.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from twisted.logger import Logger

from pop.components.configured import UPDATE_POLICY_RESTART
from pop.components.errors import AlreadyWaiting, BundleException, NotWaiting
from pop.components.factory import INSTANCE_NAME
from pop.components.waiting import WaitingList

log = Logger()
COMPONENT_PID: Final = "pelix.ipopo.component"
"""The factory PID of configurations that ask for components."""
FACTORY_NAME: Final = "ipopo.factory.name"
UPDATE_POLICY: Final = "ipopo.update.policy"
_DIRECTIVES: Final = frozenset((FACTORY_NAME, INSTANCE_NAME, UPDATE_POLICY))


class NoFactoryNamed(BundleException):
    """It makes no component, since it does not say the factory's name, as ipopo.factory.name."""


class _Wanted(NamedTuple):
    """One component."""

    factory: str
    name: str
    properties: dict[str, Any]
    restart: bool


class Instances:
    """Has the waiting list make the components, so that each is there whenever its factory is.

    The administration's: it is managed as a factory.

    @param again: has this be told of a configuration once more.
    """

    def __init__(self, waiting: WaitingList, again: Callable[[str], None]) -> None:
        self._waiting = waiting
        self._again = again
        self._wanted: dict[str, _Wanted] = {}
        self._refused: dict[str, str] = {}

    async def updated(self, pid: str, properties: Mapping[str, Any]) -> None:
        """A configuration says which component it asks for.

        @raise NoFactoryNamed: it does not say of which factory.
        @raise AlreadyWaiting: another asks for one of that name already.
        @raise BundleException: it cannot be made.
        """
        self._refused.pop(pid, None)
        wanted = _wanted(pid, properties)
        if wanted is None:
            await self.deleted(pid)
            raise NoFactoryNamed
        if not self._changed(self._wanted.get(pid), wanted):
            await self.deleted(pid)
            self._add(pid, wanted)
        self._wanted[pid] = wanted
        if (trouble := self._waiting.trouble(wanted.name)) is not None:
            raise trouble

    def _add(self, pid: str, wanted: _Wanted) -> None:
        try:
            self._waiting.add(wanted.factory, wanted.name, wanted.properties)
        except AlreadyWaiting:
            self._refused[pid] = wanted.name
            raise

    def _changed(self, before: _Wanted | None, wanted: _Wanted) -> bool:
        """Change it in flight, if that will do."""
        if before is None or wanted.restart or before[:2] != wanted[:2]:
            return False
        removed = before.properties.keys() - wanted.properties.keys()
        try:
            self._waiting.update(wanted.name, wanted.properties, removed)
        except NotWaiting:  # somebody else has taken it off the list
            return False
        return True

    async def deleted(self, pid: str) -> None:
        """A configuration asks for a component no more; others may have its name."""
        self._refused.pop(pid, None)
        wanted = self._wanted.pop(pid, None)
        if wanted is None:
            return
        try:
            await self._waiting.remove(wanted.name)
        except BundleException as error:  # somebody else was faster
            log.debug("{error}", error=error)
        for other in [other for other, name in self._refused.items() if name == wanted.name]:
            self._again(other)

    async def end(self) -> None:
        """No component is asked for any more."""
        for pid in reversed(list(self._wanted)):
            await self.deleted(pid)


def _wanted(pid: str, properties: Mapping[str, Any]) -> _Wanted | None:
    factory = properties.get(FACTORY_NAME)
    if not isinstance(factory, str) or not factory:
        return None
    return _Wanted(
        factory,
        str(properties.get(INSTANCE_NAME) or pid),
        {name: value for name, value in properties.items() if name not in _DIRECTIVES},
        properties.get(UPDATE_POLICY) == UPDATE_POLICY_RESTART,
    )
