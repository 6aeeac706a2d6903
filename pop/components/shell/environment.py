"""Commands on what is around a framework: properties, the process, its threads."""

import os
import sys
import threading
from traceback import format_stack
from typing import Any, Final

from pop.components.bundle import BundleActivator
from pop.components.context import BundleContext
from pop.components.shell.commands import DEFAULT, SERVICE_SHELL_COMMAND, Method
from pop.components.shell.completion import PROPERTY, Completion
from pop.components.shell.session import Session
from pop.components.shell.tables import make_table

HIDDEN: Final = "***"


class EnvironmentCommands:
    """Look at properties and threads."""

    def __init__(self, context: BundleContext) -> None:
        self._context = context

    def get_namespace(self) -> str:
        """They need none."""
        return DEFAULT

    def get_methods(self) -> list[tuple[str, Method]]:
        """The commands."""
        names = (
            "properties",
            "property",
            "sysprops",
            "sysprop",
            "threads",
            "thread",
            "pwd",
            "whoami",
        )
        return [(name, getattr(self, name)) for name in names]

    def properties(self, session: Session) -> None:
        """List the framework's properties"""
        known = self._context.get_framework().get_properties()
        rows = [(name, _masked(name, value)) for name, value in sorted(known.items())]
        session.write_line(make_table(("Property Name", "Value"), rows))

    @Completion(PROPERTY)
    def property(self, session: Session, name: str) -> Any:
        """Show a property of the framework, or a variable of the environment"""
        value = _masked(name, self._context.get_property(name))
        return _shown(session, value, f"There is no property {name}.")

    def sysprops(self, session: Session) -> None:
        """List the variables of the environment"""
        session.write_line(
            make_table(("Environment Variable", "Value"), sorted(os.environ.items()))
        )

    def sysprop(self, session: Session, name: str) -> Any:
        """Show a variable of the environment"""
        return _shown(session, os.environ.get(name), f"There is no variable {name}.")

    def threads(self, session: Session, max_depth: str = "1") -> Any:
        """List the threads of this process, with so many of the calls each is in"""
        if not max_depth.isdecimal():
            session.write_line("The depth is a number.")
            return False
        for thread in threading.enumerate():
            session.write_line(f"Thread ID: {thread.ident} - Name: {thread.name}")
            self._stack(session, thread, int(max_depth))
        return None

    def thread(self, session: Session, id: str, max_depth: str = "0") -> Any:
        """Show a thread, by its number, with so many of the calls it is in, or all"""
        for thread in threading.enumerate():
            if str(thread.ident) == id and max_depth.isdecimal():
                session.write_line(f"Thread ID: {id} - Name: {thread.name}")
                self._stack(session, thread, int(max_depth))
                return None
        session.write_line(f"There is no thread {id}.")
        return False

    def _stack(self, session: Session, thread: threading.Thread, depth: int) -> None:
        if frame := sys._current_frames().get(thread.ident or 0):
            session.write("".join(format_stack(frame)[-depth:]))

    def pwd(self, session: Session) -> str:
        """Show the directory that this process is in"""
        session.write_line(os.getcwd())
        return os.getcwd()

    def whoami(self, session: Session) -> str | None:
        """Show as whom you have come in, where you were asked for a name"""
        session.write_line(session.subject or "Nobody has asked for your name.")
        return session.subject


@BundleActivator
class Activator:
    """Contributes the commands while the bundle is active."""

    def start(self, context: BundleContext) -> None:
        """For the shell to find."""
        context.register_service(SERVICE_SHELL_COMMAND, EnvironmentCommands(context))


def _masked(name: str, value: Any) -> Any:
    """What is shown of a property: a dot before its name hides it, as in configurations."""
    hidden = value is not None and (name.startswith(".") or name.endswith(".secret"))
    return HIDDEN if hidden else value


def _shown(session: Session, value: Any, otherwise: str) -> Any:
    """A value, for C{$?}; where there is none, a sentence, and the command has failed."""
    session.write_line(otherwise if value is None else str(value))
    return value is not None and str(value)
