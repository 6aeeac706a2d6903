"""The bundle with commands on exports and imports for the shell."""

from collections.abc import Callable, Iterable
from typing import Any

from pop.components.bundle import BundleActivator
from pop.components.context import BundleContext
from pop.components.errors import BundleException
from pop.components.remote.admin import Admin
from pop.components.remote.endpoint import Endpoint
from pop.components.remote.export import ExportRegistration
from pop.components.remote.link import Link
from pop.components.remote.names import SERVICE_LINKS, SERVICE_REMOTE_SERVICE_ADMIN
from pop.components.shell.commands import SERVICE_SHELL_COMMAND, Method
from pop.components.shell.completion import SERVICE, Completion
from pop.components.shell.registrations import NoSuchRegistration
from pop.components.shell.session import Session
from pop.components.shell.tables import counted, make_table


class NoAdmin(BundleException):
    """Nothing is exported or imported here. Start the bundle pop.components.remote."""


class NotListed(BundleException):
    """No endpoint is {name}. "rsa.listexports" and "rsa.listimports" list those there are."""


class NotYours(BundleException):
    """{name} was not exported by "rsa.exportservice", but wants to be by its own properties."""


class RemoteCommands:
    """Look at what is exported and imported; export more.

    @ivar exported: what was exported at a shell, by unique identifier.
    """

    def __init__(self, context: BundleContext) -> None:
        self._context = context
        self.exported: dict[str, ExportRegistration] = {}

    def get_namespace(self) -> str:
        """iPOPO's."""
        return "rsa"

    def get_methods(self) -> list[tuple[str, Method]]:
        """The commands, with their short names."""
        return [
            ("listexports", self.listexports),
            ("lexps", self.listexports),
            ("listimports", self.listimports),
            ("limps", self.listimports),
            ("listlinks", self.listlinks),
            ("exportservice", self.exportservice),
            ("exportsvc", self.exportservice),
            ("unexportservice", self.unexportservice),
            ("unexpsvc", self.unexportservice),
        ]

    def listexports(self, session: Session, name: str = "") -> None:
        """List what is exported, or show one, by its name or unique identifier"""
        shared = self._admin().get_exported_services()
        self._list(session, name, [(each.endpoint, each.reference) for each in shared], "export")

    def listimports(self, session: Session, name: str = "") -> None:
        """List what is imported, or show one, by its name or unique identifier"""
        shared = self._admin().get_imported_endpoints()
        self._list(session, name, [(each.endpoint, each.reference) for each in shared], "import")

    def _list(
        self, session: Session, name: str, found: list[tuple[Endpoint, Any]], what: str
    ) -> None:
        if name:
            _show(session, _named(name, (endpoint for endpoint, _ in found)))
            return
        rows = [
            (
                endpoint.name,
                ", ".join(endpoint.specifications),
                "-" if reference is None else reference.id,
                endpoint.framework,
            )
            for endpoint, reference in found
        ]
        headers = ("Name", "Specifications", "Registration", "Framework")
        session.write_line(make_table(headers, rows))
        session.write_line(counted(len(rows), what))

    def listlinks(self, session: Session) -> None:
        """List the connections to others, and why those are not there that are not"""
        links: Iterable[Link] = self._get(SERVICE_LINKS) or ()
        rows = [(each.address, each.why or "connected", len(each.endpoints)) for each in links]
        session.write_line(make_table(("Address", "State", "Endpoints"), rows))

    @Completion(SERVICE)
    def exportservice(self, session: Session, id: str, **properties: str) -> None:
        """Export a registration, by its number, under all its specifications"""
        find = self._context.get_service_reference
        reference = find(None, f"(service.id={int(id)})") if id.isdecimal() else None
        if reference is None:
            raise NoSuchRegistration(id=id)
        overriding = {"service.exported.interfaces": "*", **properties}
        for registration in self._admin().export_service(reference, overriding):
            if (endpoint := registration.get_description()) is None:
                session.write_line(str(registration.get_exception()))
            else:
                if endpoint.uid in self.exported:
                    registration.close()
                else:
                    self.exported[endpoint.uid] = registration
                session.write_line(f"Exported as {endpoint.name}")

    def unexportservice(self, session: Session, name: str) -> None:
        """Take back what was exported at a shell, by its name or unique identifier"""
        shared = self._admin().get_exported_services()
        endpoint = _named(name, (each.endpoint for each in shared))
        if (registration := self.exported.pop(endpoint.uid, None)) is None:
            raise NotYours(name=endpoint.name)
        registration.close()

    def close(self) -> None:
        """Take back all that was exported at a shell."""
        while self.exported:
            self.exported.popitem()[1].close()

    def _admin(self) -> Admin:
        admin: Admin | None = self._get(SERVICE_REMOTE_SERVICE_ADMIN)
        if admin is None:
            raise NoAdmin
        return admin

    def _get(self, name: str) -> Any:
        """What is registered under a name; commands hold it no longer than they take."""
        if (reference := self._context.get_service_reference(name)) is None:
            return None
        try:
            return self._context.get_service(reference)
        finally:
            self._context.unget_service(reference)


def _named(name: str, endpoints: Iterable[Endpoint]) -> Endpoint:
    for endpoint in endpoints:
        if name in (endpoint.name, endpoint.uid):
            return endpoint
    raise NotListed(name=name)


def _show(session: Session, endpoint: Endpoint) -> None:
    write: Callable[[str], object] = session.write_line
    write(f"Name...........: {endpoint.name}")
    write(f"Identifier.....: {endpoint.uid}")
    write(f"Framework......: {endpoint.framework}")
    write(f"Specifications.: {', '.join(endpoint.specifications)}")
    write(f"Methods........: {', '.join(endpoint.methods)}")
    write(f"Transport......: {', '.join(endpoint.configurations)}")
    write("Properties.....:")
    for name, value in sorted(endpoint.properties.items()):
        write(f"\t{name} = {value}")


@BundleActivator
class Activator:
    """Contributes the commands while the bundle is active."""

    def start(self, context: BundleContext) -> None:
        """For the shell to find."""
        self._commands = RemoteCommands(context)
        context.register_service(SERVICE_SHELL_COMMAND, self._commands)

    def stop(self, context: BundleContext) -> None:
        """What was exported at a shell is no longer."""
        self._commands.close()
