"""Components that are wanted, whether their factories are there yet or not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from pop.components.container import Container
from pop.components.errors import AlreadyWaiting, BundleException, NotWaiting
from pop.components.notices import IPopoEvent, Kind

__all__ = ["SERVICE_WAITING_LIST", "WaitingList"]

log = Logger()
SERVICE_WAITING_LIST: Final = "pelix.ipopo.waiting_list"
"""The name under which the list is registered."""


@dataclass
class _Wanted:
    """One that is wanted.

    @ivar instance: the object that was made last; it is the same when the component comes back
        with a handler.
    """

    factory: str
    properties: dict[str, Any]
    instance: Any = None
    trouble: BundleException | None = None


class WaitingList:
    """Makes components when their factories come, each time they do."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._wanted: dict[str, _Wanted] = {}

    def start(self) -> None:
        """Listen to factories."""
        self._container.add_listener(self)

    def stop(self) -> None:
        """Listen no more; the components that there are stay."""
        self._container.remove_listener(self)
        self._wanted.clear()

    def handle_ipopo_event(self, event: IPopoEvent) -> None:
        """For the container."""
        if event.kind is Kind.REGISTERED:
            for name, wanted in list(self._wanted.items()):
                if wanted.factory == event.factory:
                    self._make(name, wanted)

    def add(
        self, factory: str, component: str, properties: Mapping[str, Any] | None = None
    ) -> None:
        """Want a component.

        @raise AlreadyWaiting: one of that name is wanted.
        """
        if component in self._wanted:
            raise AlreadyWaiting(component=component)
        wanted = self._wanted[component] = _Wanted(factory, dict(properties or {}))
        if self._container.is_registered_factory(factory):
            self._make(component, wanted)

    def update(
        self, component: str, properties: Mapping[str, Any], removed: Iterable[str] = ()
    ) -> None:
        """Change its properties, now and for when it is made again.

        @param removed: the names of those that are to be as if they had not been given.
        @raise NotWaiting: none of that name is wanted.
        """
        wanted = self._find(component)
        wanted.properties.update(properties)
        removed = tuple(removed)
        for name in removed:
            wanted.properties.pop(name, None)
        if self._is_there(component, wanted):
            self._container.reconfigure(component, properties, removed)

    def remove(self, component: str) -> Deferred[None]:
        """Want it no more, and kill it if it is there; fires when it is gone.

        @raise NotWaiting: none of that name is wanted.
        """
        wanted = self._find(component)
        del self._wanted[component]
        if self._is_there(component, wanted):
            return self._container.kill(component)
        done: Deferred[None] = Deferred()
        done.callback(None)
        return done

    def trouble(self, component: str) -> BundleException | None:
        """Why it could not be made when that was tried last; L{None} if it could, or was not.

        @raise NotWaiting: none of that name is wanted.
        """
        return self._find(component).trouble

    def _find(self, component: str) -> _Wanted:
        if (wanted := self._wanted.get(component)) is None:
            raise NotWaiting(component=component)
        return wanted

    def _is_there(self, name: str, wanted: _Wanted) -> bool:
        """Whether it is, and not another of its name."""
        there = self._container.components.get(name)
        return there is not None and there.instance is wanted.instance

    def _make(self, name: str, wanted: _Wanted) -> None:
        """If there is another of that name, that is kept."""
        try:
            wanted.trouble = None
            wanted.instance = self._container.instantiate(wanted.factory, name, wanted.properties)
        except BundleException as error:
            wanted.trouble = error
            log.error("{error}", error=error)
