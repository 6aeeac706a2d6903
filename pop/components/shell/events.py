"""Commands on events."""

from collections.abc import Mapping
from typing import Any

from pop.components.bundle import BundleActivator
from pop.components.context import BundleContext
from pop.components.errors import BundleException
from pop.components.eventadmin import SERVICE_EVENT_ADMIN
from pop.components.shell.commands import SERVICE_SHELL_COMMAND, Method
from pop.components.shell.session import Session
from pop.components.shell.wording import said


class NoEventAdmin(BundleException):
    """Nobody hands events on here. Start the bundle pop.components.eventadmin."""


class EventCommands:
    """Send and post events."""

    def __init__(self, context: BundleContext) -> None:
        self._context = context

    def get_namespace(self) -> str:
        """Their own."""
        return "event"

    def get_methods(self) -> list[tuple[str, Method]]:
        """The commands."""
        return [("send", self.send), ("post", self.post)]

    async def send(self, session: Session, topic: str, *values: str, **properties: str) -> None:
        """Send an event, with properties name=text or name:=value, and wait until it is handled"""
        await self._admin("send", topic, said(values, properties))

    def post(self, session: Session, topic: str, *values: str, **properties: str) -> None:
        """Post an event, with properties name=text or name:=value, and do not wait"""
        self._admin("post", topic, said(values, properties))

    def _admin(self, deed: str, topic: str, properties: Mapping[str, Any]) -> Any:
        if (reference := self._context.get_service_reference(SERVICE_EVENT_ADMIN)) is None:
            raise NoEventAdmin
        try:
            return getattr(self._context.get_service(reference), deed)(topic, properties)
        finally:
            self._context.unget_service(reference)


@BundleActivator
class Activator:
    """Contributes the commands while the bundle is active."""

    def start(self, context: BundleContext) -> None:
        """For the shell to find."""
        context.register_service(SERVICE_SHELL_COMMAND, EventCommands(context))
