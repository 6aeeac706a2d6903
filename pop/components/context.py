"""What a bundle has of its framework."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pop.components.errors import ContextGone
from pop.components.reference import ServiceReference
from pop.components.registry import ServiceRegistration
from pop.components.syntax import GivenFilter, get_ldap_filter

if TYPE_CHECKING:
    from pop.components.bundle import Bundle
    from pop.components.framework import Framework


class BundleContext:
    """The framework as a bundle sees it: whatever it registers, uses and listens to through its
    context is taken back when it stops.

    Filters are given as texts or as read by L{get_ldap_filter}; specifications as an interface, a
    class or a name, or several of them, and then all are meant.
    """

    def __init__(self, framework: "Framework", bundle: "Bundle") -> None:
        self._framework = framework
        self._registry = framework.registry
        self._bundle = bundle

    def __repr__(self) -> str:
        return f"BundleContext({self._bundle!r})"

    def _check(self, deed: str) -> None:
        if not self._bundle.may_act():
            raise ContextGone(bundle=self._bundle.get_symbolic_name(), deed=deed)

    # Registrations

    def register_service(
        self,
        clazz: Any,
        service: Any,
        properties: Mapping[str, Any] | None = None,
        send_event: bool = True,
        factory: bool = False,
        prototype: bool = False,
    ) -> ServiceRegistration:
        """Offer an object; listeners are told before this returns.

        @param factory, prototype: C{service.get_service(bundle, registration)} makes the object,
            for each bundle or for each use; C{unget_service(bundle, registration)} ends it.
        @raise BundleException: the bundle is not active, or the object breaks its interface's
            promise.
        """
        self._check("register anything")
        return self._registry.register(
            self._bundle,
            clazz,
            service,
            properties,
            factory=factory,
            prototype=prototype,
            send_event=send_event,
        )

    def get_service_reference(
        self, clazz: Any = None, ldap_filter: GivenFilter = None
    ) -> ServiceReference | None:
        """The best registration that matches: the highest ranking, among equals the oldest."""
        return self._registry.best(clazz, get_ldap_filter(ldap_filter))

    def get_all_service_references(
        self, clazz: Any = None, ldap_filter: GivenFilter = None
    ) -> list[ServiceReference]:
        """All registrations that match, the best first."""
        return self._registry.find(clazz, get_ldap_filter(ldap_filter))

    def get_service_references(
        self, clazz: Any = None, ldap_filter: GivenFilter = None
    ) -> list[ServiceReference]:
        """Those that match among the bundle's own registrations, the best first."""
        found = self.get_all_service_references(clazz, ldap_filter)
        return [reference for reference in found if reference.bundle is self._bundle]

    # Uses

    def get_service(self, reference: ServiceReference) -> Any:
        """The object of a registration, until L{unget_service} was called as often.

        @raise BundleException: it is gone, or the bundle is not active.
        """
        self._check("use anything")
        return self._registry.uses.get(self._bundle, reference)

    def unget_service(self, reference: ServiceReference) -> bool:
        """Give an object back; whether the bundle had it."""
        return self._registry.uses.unget(self._bundle, reference)

    def get_service_objects(self, reference: ServiceReference) -> "ServiceObjects":
        """For objects of one's own from a prototype."""
        return ServiceObjects(self, reference)

    # Listeners

    def add_service_listener(
        self, listener: Any, ldap_filter: GivenFilter = None, specification: Any = None
    ) -> bool:
        """Tell a listener of registrations from now on; C{False} if it is told already.

        @param listener: has a method C{service_changed(event)}, or is called itself.
        """
        self._check("listen")
        return self._registry.listen(
            self._bundle, listener, get_ldap_filter(ldap_filter), specification
        )

    def remove_service_listener(self, listener: Any) -> bool:
        """Tell it no more; whether it was told."""
        return self._registry.listeners.remove(listener)

    def add_bundle_listener(self, listener: Any) -> bool:
        """Tell a listener of bundles from now on; C{False} if it is told already.

        @param listener: has a method C{bundle_changed(event)}, or is called itself. What it returns
            is waited for before the bundle's life goes on.
        """
        self._check("listen")
        return self._framework.bundle_listeners.add(self._bundle, listener)

    def remove_bundle_listener(self, listener: Any) -> bool:
        """Tell it no more; whether it was told."""
        return self._framework.bundle_listeners.remove(listener)

    def add_framework_stop_listener(self, listener: Any) -> bool:
        """Tell a listener before the framework stops; C{False} if it is to be told already.

        @param listener: has a method C{framework_stopping()}, or is called itself.
        """
        self._check("listen")
        return self._framework.stop_listeners.add(self._bundle, listener)

    def remove_framework_stop_listener(self, listener: Any) -> bool:
        """Tell it no more; whether it was to be told."""
        return self._framework.stop_listeners.remove(listener)

    # Bundles

    def get_bundle(self, bundle_id: "Bundle | int | None" = None) -> "Bundle":
        """The bundle with a number; the context's own without one."""
        return self._bundle if bundle_id is None else self._framework.get_bundle_by_id(bundle_id)

    def get_bundles(self) -> list["Bundle"]:
        """All that are installed, in that order, but the framework itself."""
        return self._framework.get_bundles()

    def get_framework(self) -> "Framework":
        """The framework."""
        return self._framework

    def get_property(self, name: str) -> Any:
        """A property of the framework, or a variable of the environment of that name."""
        return self._framework.get_property(name)

    def install_bundle(self, name: str, path: str | None = None) -> "Bundle":
        """Import a module as a bundle, from a directory or the usual ones."""
        return self._framework.install_bundle(name, path)

    def install_package(self, path: str, recursive: bool = False) -> tuple[set["Bundle"], set[str]]:
        """Install a package and all its modules: those that could be, and the names of others."""
        return self._framework.install_package(path, recursive)

    def install_visiting(
        self, path: str, visitor: Callable[[str, bool, str], bool]
    ) -> tuple[set["Bundle"], set[str]]:
        """As L{install_package}, for the modules that a function of name, whether it is a package,
        and path wants."""
        return self._framework.install_visiting(path, visitor)


class ServiceObjects:
    """Objects of one's own from a prototype; of other registrations, the object that there is."""

    def __init__(self, context: BundleContext, reference: ServiceReference) -> None:
        self._context = context
        self._reference = reference

    def get_service(self) -> Any:
        """A new object."""
        self._context._check("use anything")
        return self._context._registry.uses.get_instance(self._context._bundle, self._reference)

    def unget_service(self, service: Any) -> bool:
        """Give one back; whether it was one."""
        uses = self._context._registry.uses
        return uses.unget_instance(self._context._bundle, self._reference, service)

    def get_service_reference(self) -> ServiceReference:
        """Of what they are."""
        return self._reference
