"""Commands on registrations."""

from pop.components.bundle import BundleActivator
from pop.components.context import BundleContext
from pop.components.errors import BundleException
from pop.components.reference import SERVICE_ID
from pop.components.shell.commands import DEFAULT, SERVICE_SHELL_COMMAND, Method
from pop.components.shell.completion import SERVICE, Completion
from pop.components.shell.session import Session
from pop.components.shell.tables import counted, make_table


class NoSuchRegistration(BundleException):
    """There is no registration {id}. "sl" lists those there are."""


class RegistrationCommands:
    """Look at what is registered."""

    def __init__(self, context: BundleContext) -> None:
        self._context = context

    def get_namespace(self) -> str:
        """They need none."""
        return DEFAULT

    def get_methods(self) -> list[tuple[str, Method]]:
        """The commands."""
        return [("sl", self.sl), ("sd", self.sd)]

    @Completion("specification")
    def sl(self, session: Session, specification: str = "", ldap_filter: str = "") -> None:
        """List what is registered, under a specification or matching a filter"""
        if specification.startswith("("):
            specification, ldap_filter = "", specification
        found = self._context.get_all_service_references(specification or None, ldap_filter)
        rows = [
            (
                reference.get_property(SERVICE_ID),
                ", ".join(reference.specifications),
                reference.get_bundle(),
                reference.get_property("service.ranking"),
            )
            for reference in sorted(found, key=lambda reference: reference.id)
        ]
        session.write_line(make_table(("ID", "Specifications", "Bundle", "Ranking"), rows))
        session.write_line(counted(len(rows), "registration"))

    @Completion(SERVICE)
    def sd(self, session: Session, id: str) -> None:
        """Show a registration, by its number"""
        found = (
            self._context.get_service_reference(None, f"({SERVICE_ID}={int(id)})")
            if (id.isdecimal())
            else None
        )
        if found is None:
            raise NoSuchRegistration(id=id)
        session.write_line(f"ID............: {found.id}")
        session.write_line(f"Rank..........: {found.get_property('service.ranking')}")
        session.write_line(f"Specifications: {', '.join(found.specifications)}")
        session.write_line(f"Bundle........: {found.get_bundle()}")
        session.write_line("Properties....:")
        for name, value in sorted(found.get_properties().items()):
            session.write_line(f"\t{name} = {value}")
        session.write_line("Used by:")
        for bundle in found.get_using_bundles():
            session.write_line(f"\t{bundle}")


@BundleActivator
class Activator:
    """Contributes the commands while the bundle is active."""

    def start(self, context: BundleContext) -> None:
        """For the shell to find."""
        context.register_service(SERVICE_SHELL_COMMAND, RegistrationCommands(context))
