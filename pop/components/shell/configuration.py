"""Commands on configurations."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pop.components.bundle import BundleActivator
from pop.components.configuration.admin import SERVICE_CONFIGURATION_ADMIN, ConfigurationAdmin
from pop.components.configuration.configuration import Configuration
from pop.components.context import BundleContext
from pop.components.errors import BundleException
from pop.components.shell.commands import SERVICE_SHELL_COMMAND, Method
from pop.components.shell.completion import (
    DUMMY,
    PROP_COMPLETER_ID,
    SERVICE_COMPLETER,
    Completion,
)
from pop.components.shell.session import Session
from pop.components.shell.tables import counted
from pop.components.shell.wording import said

CONFIGURATION: Final = "configuration"
"""How the PIDs of configurations are completed."""
NONE: Final = "None"
"""Said of a property, takes it away."""


class NoConfigurations(BundleException):
    """Nobody keeps configurations here. Start the bundle pop.components.configuration."""


class NoSuchConfiguration(BundleException):
    """There is no configuration {pid}. "config.list" lists those there are."""


class ConfigurationCommands:
    """Look at configurations, change and delete them.

    C{name=text} says a property that is a text; C{name:=value} one of another kind, as JSON writes
    it.
    """

    def __init__(self, context: BundleContext) -> None:
        self._context = context

    def get_namespace(self) -> str:
        """Their own."""
        return "config"

    def get_methods(self) -> list[tuple[str, Method]]:
        """The commands."""
        names = ("create", "update", "reload", "delete", "list")
        return [(name, getattr(self, name)) for name in names]

    async def create(
        self, session: Session, factory_pid: str, *values: str, **properties: str
    ) -> None:
        """Make a configuration for a factory, with properties: name=text or name:=value"""
        given = said(values, properties)
        made = self._admin().create_factory_configuration(factory_pid)
        if given:
            await made.update(_changed({}, given))
        session.write_line(f"New configuration: {made.get_pid()}")
        _complain(session, made)

    @Completion(CONFIGURATION, DUMMY)
    async def update(self, session: Session, pid: str, *values: str, **properties: str) -> None:
        """Change properties of a configuration: name=text, name:=value, or name=None for none"""
        given = said(values, properties)
        found = self._admin().get_configuration(pid)
        await found.update(_changed(found.get_properties() or {}, given))
        _complain(session, found)

    @Completion(CONFIGURATION)
    async def reload(self, session: Session, pid: str) -> None:
        """Take over what somebody else has written of a configuration"""
        found = self._find(pid)
        await found.reload()
        _complain(session, found)

    @Completion(CONFIGURATION)
    async def delete(self, session: Session, pid: str) -> None:
        """Delete a configuration"""
        await self._find(pid).delete()

    @Completion(CONFIGURATION)
    def list(self, session: Session, pid: str = "") -> None:
        """List the configurations, or show one"""
        found = [self._find(pid)] if pid else self._admin().list_configurations()
        for configuration in found:
            for line in _lines(configuration):
                session.write_line(line)
            _complain(session, configuration, "\t")
        if not pid:
            session.write_line(counted(len(found), "configuration"))

    def complete(self, context: BundleContext, text: str) -> Iterable[str]:
        """The PIDs that there are, for the shell."""
        return [each.get_pid() for each in self._admin().list_configurations()]

    def _find(self, pid: str) -> Configuration:
        if (found := self._admin().find(pid)) is None:
            raise NoSuchConfiguration(pid=pid)
        return found

    def _admin(self) -> ConfigurationAdmin:
        if (reference := self._context.get_service_reference(SERVICE_CONFIGURATION_ADMIN)) is None:
            raise NoConfigurations
        try:
            admin: ConfigurationAdmin = self._context.get_service(reference)
        finally:
            self._context.unget_service(reference)
        return admin


def _changed(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    after = {**before, **given}
    return {name: value for name, value in after.items() if given.get(name) != NONE}


def _complain(session: Session, configuration: Configuration, indented: str = "") -> None:
    for trouble in configuration.troubles():
        session.write_line(f"{indented}Trouble: {trouble}")


def _lines(configuration: Configuration) -> Iterator[str]:
    """One configuration; what is hidden is not shown here, either."""
    yield f"* {configuration.get_pid()}:"
    if factory_pid := configuration.get_factory_pid():
        yield f"\tFactory PID: {factory_pid}"
    properties = configuration.get_properties()
    if properties is None:
        yield "\tNot yet updated"
        return
    yield "\tProperties:"
    for name, value in sorted(properties.items()):
        yield f"\t\t{name} = {'***' if name.startswith('.') else _text(value)}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@BundleActivator
class Activator:
    """Contributes the commands while the bundle is active."""

    def start(self, context: BundleContext) -> None:
        """For the shell to find."""
        commands = ConfigurationCommands(context)
        context.register_service(SERVICE_SHELL_COMMAND, commands)
        context.register_service(SERVICE_COMPLETER, commands, {PROP_COMPLETER_ID: CONFIGURATION})
