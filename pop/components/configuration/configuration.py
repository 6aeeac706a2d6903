"""One configuration: properties under a PID."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred, DeferredLock, succeed

from pop.components.configuration.errors import (
    BadConfiguration,
    BadPid,
    ConfigurationGone,
    NotReloaded,
    reason_of,
)
from pop.components.errors import BundleException
from pop.components.properties import Properties
from pop.components.syntax import GivenFilter, get_ldap_filter

if TYPE_CHECKING:
    from pop.components.configuration.admin import ConfigurationAdmin
    from pop.components.configuration.persistence import Persistence

PID: Final = "service.pid"
FACTORY_PID: Final = "service.factoryPid"
RESERVED: Final = frozenset((PID, FACTORY_PID.lower()))
"""What says which configuration it is, in lower case; only the administration sets that."""


class Configuration:
    """Properties under a PID, for whoever is managed under it.

    They are kept as JSON, and everybody gets a copy of his own: what somebody does to it changes no
    configuration.

    @ivar text: the properties, sorted by name; L{None} until it is updated for the first time.
    @ivar home: where it is kept; L{None} if nowhere.
    """

    def __init__(
        self,
        admin: "ConfigurationAdmin",
        pid: str,
        factory_pid: str | None = None,
        home: "Persistence | None" = None,
    ) -> None:
        self._admin = admin
        self._pid = pid
        self._factory_pid = factory_pid
        self._deleted = False
        self._lock = DeferredLock()
        self.home = home
        self.text: str | None = None

    def __repr__(self) -> str:
        return f"<configuration {self._pid}>"

    def get_pid(self) -> str:
        """Under which it is known."""
        return self._pid

    def get_factory_pid(self) -> str | None:
        """The PID of those whom it is one configuration of several for; L{None} for others."""
        return self._factory_pid

    def get_properties(self) -> dict[str, Any] | None:
        """A copy of its properties, its PID among them; L{None} if it was never updated.

        @raise ConfigurationGone: it was deleted.
        """
        self._check()
        return None if self.text is None else json.loads(self.text)

    def is_valid(self) -> bool:
        """Whether it has properties, and was not deleted."""
        return self.text is not None

    def matches(self, ldap_filter: GivenFilter) -> bool:
        """Whether it is valid, and its properties pass a filter.

        @raise BadFilter: it cannot be read.
        """
        wanted = get_ldap_filter(ldap_filter)
        if self.text is None:
            return False
        return wanted is None or wanted.matches(json.loads(self.text))

    def troubles(self) -> list[str]:
        """What those who were told of it found wrong, in sentences."""
        return self._admin.troubles(self)

    def update(self, properties: Mapping[str, Any] | None = None) -> Deferred[bool]:
        """Replace its properties; without any, nothing is changed.

        Fires, with whether there was anything new, when it is kept and all who are managed under it
        have been told; within C{updated}, which is never called while it runs, it does not wait for
        that one.
        @raise ConfigurationGone: it was deleted.
        @raise BadConfiguration: there is something that JSON does not know.
        @raise NotKept: it could not be written, and is as before.
        """
        return Deferred.fromCoroutine(self._update(properties))

    async def _update(self, properties: Mapping[str, Any] | None) -> bool:
        async with self._lock:
            self._check()
            text = self.text if properties is None else self._text(properties)
            if text is None or text == self.text:
                return False
            await self._admin.keep(self, json.loads(text))
            self.text = text
        await self._admin.tell(self)
        return True

    def become(self, properties: Mapping[str, Any]) -> Deferred[bool]:
        """As L{update}, but this is what is kept of it already."""
        self._check()
        text = self._text(properties)
        if text == self.text:
            return succeed(False)
        self.text = text
        return self._admin.tell(self).addCallback(lambda _: True)

    def reload(self) -> Deferred[bool]:
        """Be what is kept of it, which somebody else may have changed; else as L{update}.

        @raise NotReloaded: that cannot be read.
        """
        return Deferred.fromCoroutine(self._reload())

    async def _reload(self) -> bool:
        self._check()
        if self.home is None:
            return False
        try:
            properties = self.home.load(self._pid)
        except Exception as error:
            raise NotReloaded(pid=self._pid, reason=reason_of(error)) from error
        return await self.become(properties)

    def delete(self) -> Deferred[None]:
        """Keep it no longer; fires when all who were told of it know that.

        @raise NotKept: it could not be deleted, and is as before.
        """
        return Deferred.fromCoroutine(self._delete())

    async def _delete(self) -> None:
        async with self._lock:
            if self._deleted:
                return
            await self._admin.keep(self, None)
            self.forget()
        await self._admin.tell(self)

    def lose(self, kept: Callable[[], bool]) -> Deferred[None]:
        """As L{delete}, if it is kept no longer already; where it was, nothing is touched, since
        others may be writing there.

        @param kept: whether it is; asked when nobody here is writing it.
        """
        return Deferred.fromCoroutine(self._lose(kept))

    async def _lose(self, kept: Callable[[], bool]) -> None:
        async with self._lock:
            if self._deleted or kept():
                return
            self.forget()
        await self._admin.tell(self)

    def forget(self) -> None:
        """There is no such configuration any more."""
        self._deleted = True
        self.text = None
        self._admin.forget(self)

    def _check(self) -> None:
        if self._deleted:
            raise ConfigurationGone(pid=self._pid)

    def _text(self, given: Mapping[str, Any]) -> str:
        if odd := [name for name in given if not isinstance(name, str)]:
            reason = f"the name of a property should be a text, and not {odd[0]!r}"
            raise BadConfiguration(pid=self._pid, reason=reason)
        properties = {name: value for name, value in given.items() if name.lower() not in RESERVED}
        properties[PID] = self._pid
        if self._factory_pid is not None:
            properties[FACTORY_PID] = self._factory_pid
        try:
            Properties(properties)
            return json.dumps(properties, sort_keys=True, allow_nan=False)
        except (BundleException, RecursionError, TypeError, ValueError) as error:
            raise BadConfiguration(pid=self._pid, reason=reason_of(error)) from error


def check_pid(pid: Any) -> str:
    """A PID, without white space around it.

    It has to do as the name of a file.
    @raise BadPid: it cannot be one.
    """
    if not isinstance(pid, str) or not pid.strip():
        raise BadPid(pid=pid, reason="it should be a text, and not a blank one")
    if bad := next((character for character in pid if character in "/\\\0"), None):
        raise BadPid(pid=pid, reason=f"there is a {bad!r} in it")
    return pid.strip()
