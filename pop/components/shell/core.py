"""The shell of a framework: it knows the commands, and carries them out."""

from typing import Any, Final

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from pop.components.bundle import BundleActivator
from pop.components.context import BundleContext
from pop.components.errors import BundleException
from pop.components.events import ServiceEvent
from pop.components.reference import ServiceReference
from pop.components.shell.basics import Basics
from pop.components.shell.commands import (
    DEFAULT,
    SERVICE_SHELL_COMMAND,
    Command,
    Commands,
)
from pop.components.shell.completion import complete
from pop.components.shell.lines import BadLine, read_line
from pop.components.shell.session import RESULT, NoAnswer, Session

log = Logger()
SERVICE_SHELL: Final = "pelix.shell.core"


class Shell:
    """Carries out command lines in a framework."""

    def __init__(self, context: BundleContext) -> None:
        self.context = context
        self.commands = Commands()
        self._contributed: dict[ServiceReference, list[tuple[str, str]]] = {}

    def start(self) -> None:
        """Know the commands that bundles contribute, and those to come."""
        self.context.add_service_listener(self, None, SERVICE_SHELL_COMMAND)
        for reference in self.context.get_all_service_references(SERVICE_SHELL_COMMAND):
            self._add(reference)

    def service_changed(self, event: ServiceEvent) -> None:
        """For the registry: commands come and go."""
        if event.kind is ServiceEvent.REGISTERED:
            self._add(event.reference)
        elif event.kind is ServiceEvent.UNREGISTERING:
            for namespace, name in self._contributed.pop(event.reference, ()):
                self.commands.remove(namespace, name)

    def _add(self, reference: ServiceReference) -> None:
        """A contribution that fails contributes nothing."""
        if reference in self._contributed:
            return
        try:
            contribution = self.context.get_service(reference)
            namespace = contribution.get_namespace() or DEFAULT
            methods = list(contribution.get_methods())
        except Exception:
            log.failure("{reference} contributes no commands", reference=reference)
            return
        self._contributed[reference] = [
            (namespace, name)
            for name, method in methods
            if self.commands.add(namespace, name, method)
        ]

    async def execute(self, line: str, session: Session) -> bool:
        """Carry out a line; whether that went well. An empty one does not.

        What is wrong is written for the person to read.
        """
        try:
            words = read_line(line, lambda name: self._value(name, session))
            if not words.arguments:
                return False
            command = self.commands.find(words.arguments[0])
        except (BadLine, BundleException) as error:
            session.write_line(_sentence(error))
            return False
        arguments = words.arguments[1:]
        if not command.accepts(arguments, words.named):
            session.write_line(f"Usage: {command.usage}")
            return False
        return await self._call(command, session, arguments, words.named)

    async def _call(
        self, command: Command, session: Session, arguments: list[str], named: dict[str, str]
    ) -> bool:
        patience = self.context.get_framework().patience
        try:
            # Whoever waits at the shell sees for how long, so there is no limit to that.
            result = await patience.without_limit(command.method(session, *arguments, **named))
        except CancelledError:
            session.write_line("Cancelled.")
            return False
        except NoAnswer:
            session.write_line("Nobody can be asked here.")
            return False
        except BundleException as error:
            session.write_line(str(error))
            return False
        except Exception as error:
            log.failure("The command {command} failed", command=command.full_name)
            session.write_line(f"{command.full_name} failed: {type(error).__name__}: {error}")
            return False
        if result is False:
            return False
        if result is not None:
            session.set(RESULT, result)
        return True

    def _value(self, name: str, session: Session) -> Any:
        if name in session.variables:
            return session.variables[name]
        return self.context.get_property(name)

    def complete(self, text: str, session: Session) -> list[str]:
        """The words that may stand in place of the last one of a line that is being written."""
        return complete(self, text, session)


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


@BundleActivator
class Activator:
    """Registers the shell while the bundle is active."""

    def start(self, context: BundleContext) -> None:
        """With the commands that there are."""
        shell = Shell(context)
        shell.start()
        context.register_service(SERVICE_SHELL_COMMAND, Basics(shell))
        context.register_service(SERVICE_SHELL, shell)
