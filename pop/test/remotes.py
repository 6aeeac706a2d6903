"""What tests of exports and imports need: things to call, listeners, and a provider."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Attribute, Interface, implementer

from pop.components.callbacks import Validate
from pop.components.framework import Framework
from pop.components.registry import ServiceRegistration
from pop.components.remote import interfaces
from pop.components.remote.admin import Admin
from pop.components.remote.adminevent import AdminEvent
from pop.components.remote.endpoint import Endpoint
from pop.components.remote.exports import Exports
from pop.components.remote.imports import Imports


class IBase(Interface):
    """What others may call."""

    attribute = Attribute("No method.")

    def base() -> None:
        """A method."""


class IMore(IBase):
    """A bit more."""

    def more() -> None:
        """Another."""


@implementer(IMore)
class Both:
    """Keeps the promise, and has more to it."""

    def __init__(self) -> None:
        self.attribute = self.hidden = print

    def base(self) -> None:
        """Declared."""

    def more(self) -> None:
        """Declared."""

    def other(self) -> None:
        """Public, but nobody said so."""

    @Validate
    def validate(self, context: Any) -> None:
        """For the framework."""

    def _private(self) -> None:
        """Nobody's business."""


class Listener:
    """Notes what it is told, of exports and of imports."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails
        self.told: list[Any] = []

    def endpoints_added(self, endpoints: list[Endpoint]) -> None:
        """For exports."""
        self._note("added", *[endpoint.uid for endpoint in endpoints])

    def endpoint_added(self, endpoint: Endpoint) -> None:
        """For imports."""
        self._note("added", endpoint.uid)

    def endpoint_updated(self, endpoint: Endpoint, old_properties: Mapping[str, Any]) -> None:
        """For both."""
        self._note("updated", endpoint.uid, dict(old_properties), dict(endpoint.properties))

    def endpoint_removed(self, endpoint: Endpoint) -> None:
        """For both."""
        self._note("removed", endpoint.uid)

    def _note(self, *what: Any) -> None:
        if self.fails:
            raise ValueError(what)
        self.told.append(what)

    def take(self) -> list[Any]:
        """What was told since the last time."""
        told, self.told = self.told, []
        return told


def endpoint(uid: str, framework: str = "far", **properties: Any) -> Endpoint:
    """One that was found."""
    return Endpoint(uid, framework, ("kind",), f"name-{uid}", ("spec",), ("say",), properties)


class RemoteCase(SynchronousTestCase):
    """Has a framework in which anything can be registered."""

    def setUp(self) -> None:
        self.framework = Framework({"framework.uid": "here"}, environment={})
        self.context = self.framework.get_bundle_context()

    def register(self, names: Any, **properties: Any) -> Any:
        """A registration; C{_} stands for a dot in the names of properties."""
        given = {name.replace("_", "."): value for name, value in properties.items()}
        return self.context.register_service(names, Both(), given).get_reference()


@implementer(interfaces.IExportProvider, interfaces.IImportProvider)
class Provider:
    """Notes what it is asked to do, and fails at that if it is told to.

    @ivar open: what it has been asked to do and not been asked to end.
    """

    def __init__(self, kind: str = "kind") -> None:
        self.kind = kind
        self.fails = False
        self.open: dict[str, Any] = {}
        self.did: list[str] = []

    def handles(self, configurations: tuple[str, ...]) -> bool:
        """Its own kind, or whatever."""
        if self.fails:
            raise ValueError("handles")
        return not configurations or self.kind in configurations

    def export_service(self, endpoint: Endpoint, service: Any) -> Endpoint:
        """At the end that answers."""
        self.open[endpoint.uid] = service
        return self._note("export", endpoint)

    def update_export(self, endpoint: Endpoint) -> Endpoint:
        """At the same."""
        return self._note("update", endpoint)

    def unexport_service(self, endpoint: Endpoint) -> None:
        """At the same."""
        del self.open[endpoint.uid]
        self._note("unexport", endpoint)

    def import_service(self, endpoint: Endpoint) -> "Imported":
        """At the end that calls."""
        self._note("import", endpoint)
        self.open[endpoint.uid] = imported = Imported(self, endpoint)
        return imported

    def _note(self, what: str, endpoint: Endpoint) -> Endpoint:
        if endpoint.name == "bad":
            raise ValueError(what)
        self.did.append(f"{what} {endpoint.name}")
        return replace(endpoint, configurations=(self.kind,))


@implementer(interfaces.IImported)
class Imported:
    """What a provider holds of one endpoint."""

    reference = None

    def __init__(self, provider: Provider, endpoint: Endpoint) -> None:
        self.provider = provider
        self.endpoint = endpoint

    def update(self, endpoint: Endpoint) -> None:
        """It is other than before."""
        self.provider._note("update", endpoint)

    def close(self) -> None:
        """It is over."""
        del self.provider.open[self.endpoint.uid]
        self.provider.did.append(f"close {self.endpoint.name}")
        if self.provider.fails:
            raise ValueError("close")


class AdminCase(RemoteCase):
    """Has an admin, whose events are noted, and a provider that is not registered yet."""

    def setUp(self) -> None:
        super().setUp()
        self.exports, self.imports = Exports(self.context), Imports(self.context)
        self.uids = iter("123456789")
        self.admin = Admin(self.context, self.exports, lambda: next(self.uids))
        self.parts: list[Any] = [self.exports, self.imports, self.admin]
        for part in self.parts:
            part.start()
        self.events: list[AdminEvent] = []
        self.context.register_service("pelix.rsa.remoteserviceadmineventlistener", self)
        self.provider = Provider()

    def remote_admin_event(self, event: AdminEvent) -> None:
        """Note it."""
        self.events.append(event)

    def assertEvents(self, *expected: str) -> None:
        """What happened since the last time."""
        happened, self.events = self.events, []
        self.assertEqual(list(expected), [event.get_type().name for event in happened])

    def provide(self, provider: Any = None) -> ServiceRegistration:
        """Register a provider, for exports and imports."""
        names = ["pelix.remote.provider.export", "pelix.remote.provider.import"]
        return self.context.register_service(names, provider or self.provider)

    def flagged(self, name: str = "", **properties: Any) -> ServiceRegistration:
        """Register something that wants to be exported."""
        if name:
            properties["endpoint.name"] = name
        given = {"service.exported.interfaces": "*", **properties}
        return self.context.register_service("spec", object(), given)

    def exported(self) -> list[str]:
        """The names of what is exported."""
        return sorted(each.name for each in self.exports.get_endpoints())

    def names(self) -> list[str]:
        """What the provider did since the last time."""
        did, self.provider.did = self.provider.did, []
        return did
