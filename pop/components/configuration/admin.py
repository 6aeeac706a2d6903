"""All configurations of a framework, and who is told of them."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger

from pop.components.configuration.configuration import FACTORY_PID, PID, Configuration, check_pid
from pop.components.configuration.errors import NotKept, reason_of
from pop.components.configuration.persistence import SERVICE_CONFIGADMIN_PERSISTENCE, Persistence
from pop.components.configuration.subscriber import Managed, ManagedFactory, Subscriber
from pop.components.context import BundleContext
from pop.components.filters import Equal
from pop.components.reference import ServiceReference
from pop.components.syntax import GivenFilter, get_ldap_filter
from pop.components.tracker import Tracker

log = Logger()
SERVICE_CONFIGURATION_ADMIN: Final = "pelix.configadmin"
"""The name under which the L{ConfigurationAdmin} is registered."""
SERVICE_CONFIGADMIN_MANAGED: Final = "pelix.configadmin.managed"
"""Under this name somebody is registered who has one configuration; its property C{service.pid}
says which. See L{Managed}."""
SERVICE_CONFIGADMIN_MANAGED_FACTORY: Final = "pelix.configadmin.managed.factory"
"""Under this name somebody is registered who has any number. See L{ManagedFactory}."""
_KINDS: Final[Mapping[str, type[Subscriber]]] = {
    SERVICE_CONFIGADMIN_MANAGED: Managed,
    SERVICE_CONFIGADMIN_MANAGED_FACTORY: ManagedFactory,
}


class ConfigurationAdmin:
    """Gives out configurations, has them kept, and tells those who are managed under them.

    Who is registered is told of what there is before that returns. Where nothing keeps them,
    configurations live as long as this does.

    @param new_id: makes what tells the configurations of one factory apart.
    """

    def __init__(
        self, context: BundleContext, new_id: Callable[[], str] = lambda: secrets.token_hex(8)
    ) -> None:
        self.patience = context.get_framework().patience
        self._new_id = new_id
        self._context = context
        self._known: dict[str, Configuration] = {}
        self._families: dict[str, dict[str, Configuration]] = {}
        self._writing: set[Deferred[Any]] = set()
        self._subscribers: dict[ServiceReference, Subscriber] = {}
        self._keepers = Tracker(context, SERVICE_CONFIGADMIN_PERSISTENCE, added=self._load)
        self._managed = [self._tracker(name) for name in _KINDS]

    def _tracker(self, name: str) -> Tracker:
        return Tracker(
            self._context,
            name,
            added=lambda it, reference: self._add(_KINDS[name](self, reference, it), reference),
            modified=lambda it, reference: self._subscribers[reference].move(reference),
            removed=lambda it, reference: self._subscribers.pop(reference).end(),
        )

    def start(self) -> None:
        """Know what is kept, and then those who want to know it."""
        for tracker in (self._keepers, *self._managed):
            tracker.open()

    async def stop(self) -> None:
        """Tell nobody any more, and wait for what is being written."""
        for tracker in self._managed:
            tracker.close()
        await DeferredList(list(self._writing))

    # What may be asked for

    def get_configuration(self, pid: str) -> Configuration:
        """The configuration of a PID; a new one, without properties, if there is none.

        @raise BadPid: it cannot be one.
        """
        pid = check_pid(pid)
        return self._known.get(pid) or self._make(pid, None)

    def create_factory_configuration(self, factory_pid: str) -> Configuration:
        """A new one, without properties, for whoever is managed as a factory under a PID.

        @raise BadPid: it cannot be one.
        """
        factory_pid = check_pid(factory_pid)
        return self._make(f"{factory_pid}-{self._new_id()}", factory_pid)

    def list_configurations(self, ldap_filter: GivenFilter = None) -> list[Configuration]:
        """Those that have properties, and pass a filter over them; by PID.

        @raise BadFilter: it cannot be read.
        """
        wanted = get_ldap_filter(ldap_filter)
        found = [each for each in self._known.values() if each.matches(wanted)]
        return sorted(found, key=Configuration.get_pid)

    def find(self, pid: str) -> Configuration | None:
        """The configuration of a PID, if there is one."""
        return self._known.get(pid)

    def single(self, pid: str) -> Configuration | None:
        """The same, unless it is one of several that a factory has."""
        found = self._known.get(pid)
        return found if found is not None and found.get_factory_pid() is None else None

    def family(self, factory_pid: str) -> Mapping[str, Configuration]:
        """Those that a factory has, by PID."""
        return self._families.get(factory_pid, {})

    def accept(
        self, pid: str, properties: Mapping[str, Any], home: Persistence | None
    ) -> Deferred[bool]:
        """Know what is kept already: see L{Configuration.become}."""
        given = properties.get(FACTORY_PID)
        factory_pid = None if given is None else check_pid(given)
        known = self._known.get(pid)
        if known is not None and known.get_factory_pid() != factory_pid:
            known.forget()
            self.tell(known)
            known = None
        configuration = known or self._make(pid, factory_pid)
        configuration.home = home
        return configuration.become(properties)

    # For configurations

    def _make(self, pid: str, factory_pid: str | None) -> Configuration:
        made = Configuration(self, pid, factory_pid, self._keepers.best())
        self._known[pid] = made
        if factory_pid is not None:
            self._families.setdefault(factory_pid, {})[pid] = made
        return made

    def forget(self, configuration: Configuration) -> None:
        """It was deleted."""
        pid, factory_pid = configuration.get_pid(), configuration.get_factory_pid()
        del self._known[pid]
        if factory_pid is not None:
            del self._families[factory_pid][pid]
            if not self._families[factory_pid]:
                del self._families[factory_pid]

    async def keep(
        self, configuration: Configuration, properties: Mapping[str, Any] | None
    ) -> None:
        """Have it kept where it was, or where the best keeps it now; L{None} for no longer.

        @raise NotKept: with the reason, whatever it is.
        """
        home = configuration.home
        if home not in self._keepers:
            home = configuration.home = self._keepers.best()
        if home is None:
            return
        pid = configuration.get_pid()
        try:
            if properties is None:
                await self._write(pid, home.delete, pid)
            else:
                await self._write(pid, home.store, pid, properties)
        except Exception as error:
            deed = "deleted" if properties is None else "written"
            raise NotKept(pid=pid, deed=deed, reason=reason_of(error)) from error

    async def _write(self, pid: str, call: Callable[..., Any], *arguments: Any) -> None:
        who = f"what keeps the configuration {pid}"
        writing = Deferred.fromCoroutine(self.patience.call(who, call, *arguments))
        self._writing.add(writing)
        try:
            await writing
        finally:
            self._writing.discard(writing)

    def tell(self, configuration: Configuration) -> Deferred[None]:
        """Tell whom it concerns, the best first; fires when all have been."""
        looks = [each.look([configuration.get_pid()]) for each in self._concerned(configuration)]
        return DeferredList(looks).addCallback(lambda _: None)

    def again(self, pid: str) -> None:
        """Tell those who have found something wrong with a configuration once more."""
        if (configuration := self._known.get(pid)) is not None:
            for each in self._concerned(configuration):
                each.again(pid)

    def troubles(self, configuration: Configuration) -> list[str]:
        """What those whom it concerns have found wrong, the best first."""
        pid = configuration.get_pid()
        found = [each.troubles.get(pid) for each in self._concerned(configuration)]
        return [trouble for trouble in found if trouble is not None]

    def _concerned(self, configuration: Configuration) -> list[Subscriber]:
        pid, factory_pid = configuration.get_pid(), configuration.get_factory_pid()
        name = SERVICE_CONFIGADMIN_MANAGED_FACTORY if factory_pid else SERVICE_CONFIGADMIN_MANAGED
        found = self._context.get_all_service_references(name, Equal(PID, factory_pid or pid))
        return [self._subscribers[each] for each in found if each in self._subscribers]

    # For those that come and go

    def _load(self, keeper: Persistence, reference: ServiceReference) -> None:
        try:
            pids = list(keeper.get_pids())
        except Exception as error:
            log.error("Configurations are passed over: {reason}", reason=reason_of(error))
            return
        for pid in pids:
            if (known := self._known.get(pid)) is not None and known.is_valid():
                continue
            try:
                self.accept(check_pid(pid), keeper.load(pid), keeper)
            except Exception as error:
                log.error(
                    "The configuration {pid} is passed over: {reason}",
                    pid=pid,
                    reason=reason_of(error),
                )

    def _add(self, subscriber: Subscriber, reference: ServiceReference) -> None:
        self._subscribers[reference] = subscriber
        subscriber.look(subscriber.wanted())
