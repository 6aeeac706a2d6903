"""Commands on bundles."""

from typing import Any

from pop.components.bundle import Bundle, BundleActivator
from pop.components.context import BundleContext
from pop.components.errors import BundleException, NoSuchBundle
from pop.components.patience import GoesOn
from pop.components.shell.commands import DEFAULT, SERVICE_SHELL_COMMAND, Method
from pop.components.shell.completion import BUNDLE, DUMMY, FILE, Completion
from pop.components.shell.session import Session
from pop.components.shell.tables import counted, make_table


class BundleCommands:
    """Install, start, stop, update, uninstall and look at bundles."""

    def __init__(self, context: BundleContext) -> None:
        self._context = context

    def get_namespace(self) -> str:
        """They need none."""
        return DEFAULT

    def get_methods(self) -> list[tuple[str, Method]]:
        """The commands."""
        names = ("bl", "bd", "install", "start", "stop", "update", "uninstall")
        return [(name, getattr(self, name)) for name in names]

    def bl(self, session: Session, name: str = "") -> None:
        """List the bundles, or those whose name contains a text"""
        bundles = [self._context.get_framework(), *self._context.get_bundles()]
        rows = [
            (
                bundle.get_bundle_id(),
                bundle.get_symbolic_name(),
                bundle.get_state().name,
                bundle.get_version(),
            )
            for bundle in bundles
            if name in bundle.get_symbolic_name()
        ]
        session.write_line(make_table(("ID", "Name", "State", "Version"), rows))
        session.write_line(f"{counted(len(rows), 'bundle')} installed")

    @Completion(BUNDLE)
    def bd(self, session: Session, bundle: str) -> None:
        """Show a bundle, by its number or name"""
        found = self._find(bundle)
        session.write_line(f"ID......: {found.get_bundle_id()}")
        session.write_line(f"Name....: {found.get_symbolic_name()}")
        session.write_line(f"Version.: {found.get_version()}")
        session.write_line(f"State...: {found.get_state().name}")
        session.write_line(f"Location: {found.get_location()}")
        for title, references in (
            ("Registered:", found.get_registered_services()),
            ("Uses:", found.get_services_in_use()),
        ):
            session.write_line(title)
            for reference in references:
                session.write_line(f"\t{reference}")
            if not references:
                session.write_line("\tn/a")

    @Completion(DUMMY, FILE)
    def install(self, session: Session, module: str, path: str = "") -> int:
        """Install a module as a bundle, from a directory or the usual ones"""
        bundle = self._context.install_bundle(module, path or None)
        session.write_line(f"Bundle ID: {bundle.get_bundle_id()}")
        return bundle.get_bundle_id()

    @Completion(BUNDLE, multiple=True)
    async def start(self, session: Session, bundle: str, *bundles: str) -> Any:
        """Start bundles; those that are named by a module are installed first if need be"""
        for word in (bundle, *bundles):
            if (
                not word.isdecimal()
                and self._context.get_framework().get_bundle_by_name(word) is None
            ):
                self.install(session, word)
        return await self._each(session, "Starting", "start", bundle, *bundles)

    @Completion(BUNDLE, multiple=True)
    async def stop(self, session: Session, bundle: str, *bundles: str) -> Any:
        """Stop bundles"""
        return await self._each(session, "Stopping", "stop", bundle, *bundles)

    @Completion(BUNDLE, multiple=True)
    async def update(self, session: Session, bundle: str, *bundles: str) -> Any:
        """Load bundles' code anew; what runs stops once the new code could be loaded"""
        return await self._each(session, "Updating", "update", bundle, *bundles)

    @Completion(BUNDLE, multiple=True)
    async def uninstall(self, session: Session, bundle: str, *bundles: str) -> Any:
        """Stop bundles and let them go"""
        return await self._each(session, "Uninstalling", "uninstall", bundle, *bundles)

    async def _each(self, session: Session, doing: str, deed: str, *words: str) -> Any:
        """One after the other, up to the first that fails."""
        for word in words:
            bundle = self._find(word)
            id, name = bundle.get_bundle_id(), bundle.get_symbolic_name()
            session.write_line(f"{doing} bundle {id} ({name})...")
            try:
                await getattr(bundle, deed)()
            except BundleException as error:
                session.write_line(str(error))
                return False
            except GoesOn:
                state = bundle.get_state().name
                session.write_line(f"What has begun goes on: {name} is {state}.")
                return False
        return None

    def _find(self, word: str) -> Bundle:
        if word.isdecimal():
            return self._context.get_bundle(int(word))
        if found := self._context.get_framework().get_bundle_by_name(word):
            return found
        raise NoSuchBundle(bundle=word)


@BundleActivator
class Activator:
    """Contributes the commands while the bundle is active."""

    def start(self, context: BundleContext) -> None:
        """For the shell to find."""
        context.register_service(SERVICE_SHELL_COMMAND, BundleCommands(context))
