"""Those who are managed: told of their configurations, one call at a time."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from pop.components.configuration.configuration import PID, Configuration
from pop.components.errors import BundleException
from pop.components.reference import ServiceReference

if TYPE_CHECKING:
    from pop.components.configuration.admin import ConfigurationAdmin

log = Logger()
_telling: ContextVar[frozenset["Subscriber"]] = ContextVar("telling", default=frozenset())
"""Whose calls lead to what is being done just now."""


class Subscriber(ABC):
    """One registration that is managed.

    What it was told last is compared with what is so now. So it is never told the same twice, never
    two things at a time, and never what is past already.

    @ivar pid: what it is managed under, as its registration says.
    @ivar troubles: what was wrong when it was told last, by the configuration's PID.
    """

    def __init__(self, admin: "ConfigurationAdmin", reference: ServiceReference, it: Any) -> None:
        self._admin = admin
        self._it = it
        self._told: dict[str, str] = {}
        self._doubtful: dict[str, None] = {}
        self._busy = False
        self._waiting: list[Deferred[None]] = []
        self._name = f"updated of bundle {reference.bundle.get_symbolic_name()}"
        self.troubles: dict[str, str] = {}
        self.pid = _pid(reference)

    def look(self, pids: Iterable[str]) -> Deferred[None]:
        """See whether it has to be told of some configurations; fires when it has been.

        Whoever was called by itself does not wait for that: it is told as soon as it has returned.
        """
        self._doubtful.update(dict.fromkeys(pids))
        if not self._busy:
            return Deferred.fromCoroutine(self._work())
        if self in _telling.get():
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        self._waiting.append(waiting)
        return waiting

    def again(self, pid: str) -> None:
        """Be told of a configuration once more, if there was something wrong with it."""
        if self.troubles.pop(pid, None) is not None:
            self._told.pop(pid, None)
            self.look([pid])

    def move(self, reference: ServiceReference) -> None:
        """Its registration may say another PID."""
        if self.pid != (pid := _pid(reference)):
            self.pid = pid
            self.look([*self._told, *self.wanted()])

    def end(self) -> None:
        """It is managed no more."""
        self.pid = ""
        self._told.clear()
        self.troubles.clear()

    async def _work(self) -> None:
        self._busy = True
        _telling.set(_telling.get() | {self})
        while self._doubtful:
            pid = next(iter(self._doubtful))
            del self._doubtful[pid]
            await self._tell(pid, self._now(pid))
        self._busy = False
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)

    def _now(self, pid: str) -> str | None:
        configuration = self.wanted().get(pid)
        return None if configuration is None else configuration.text

    async def _tell(self, pid: str, text: str | None) -> None:
        if text == self._told.get(pid):
            return
        if text is None:
            del self._told[pid]
        else:
            self._told[pid] = text
        self.troubles.pop(pid, None)
        try:
            properties = None if text is None else json.loads(text)
            await self._admin.patience.call(self._name, self.call, pid, properties)
        except BundleException as error:
            log.error("The configuration {pid}: {error}", pid=pid, error=error)
            self.troubles[pid] = str(error)
        except Exception as error:
            log.failure("{who} failed at the configuration {pid}", who=self._name, pid=pid)
            self.troubles[pid] = f"{self._name} failed: {type(error).__name__}: {error}"

    @abstractmethod
    def wanted(self) -> Mapping[str, Configuration]:
        """The configurations that concern it, by PID."""

    @abstractmethod
    def call(self, pid: str, properties: dict[str, Any] | None) -> Any:
        """Tell it; L{None} if the configuration is gone."""


class Managed(Subscriber):
    """Has one configuration, and a method C{updated(properties)}; L{None} is for none any more."""

    def wanted(self) -> Mapping[str, Configuration]:
        """That of its own PID."""
        configuration = self._admin.single(self.pid)
        return {} if configuration is None else {self.pid: configuration}

    def call(self, pid: str, properties: dict[str, Any] | None) -> Any:
        """Tell it."""
        return self._it.updated(properties)


class ManagedFactory(Subscriber):
    """Has any number, and methods C{updated(pid, properties)} and C{deleted(pid)}."""

    def wanted(self) -> Mapping[str, Configuration]:
        """Those that have its own PID as that of their factory."""
        return self._admin.family(self.pid)

    def call(self, pid: str, properties: dict[str, Any] | None) -> Any:
        """Tell it."""
        if properties is None:
            return self._it.deleted(pid)
        return self._it.updated(pid, properties)


def _pid(reference: ServiceReference) -> str:
    """What a registration is managed under; the empty text for one that does not say."""
    pid = reference.get_property(PID)
    return pid if isinstance(pid, str) else ""
