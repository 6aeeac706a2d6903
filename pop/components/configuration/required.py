"""Components that are configured: what C{@RequiresConfiguration} has declared comes true."""

from contextlib import suppress
from typing import Any

from pop.components.component import Component
from pop.components.configuration.admin import SERVICE_CONFIGADMIN_MANAGED
from pop.components.configuration.configuration import PID
from pop.components.configuration.overlay import Overlay
from pop.components.configured import CONFIGURED, HANDLER_CONFIGADMIN, Configured
from pop.components.errors import BundleException
from pop.components.hooks import Handler
from pop.components.life import Event, Phase
from pop.components.registry import ServiceRegistration

_AT_WORK = (Phase.VALIDATING, Phase.VALID, Phase.INVALIDATING)


class Required(Handler):
    """Has a component managed under its PID, and lets it be valid when it may be.

    What must not change while the component works is laid aside until it is invalid.
    """

    def __init__(self, component: Component, configured: Configured) -> None:
        self._component = component
        self._configured = configured
        self._overlay = Overlay(component)
        self._there = False
        self._aside: list[dict[str, Any] | None] = []
        self._registration: ServiceRegistration | None = None
        self._pid = configured.pid or component.properties.get(PID)

    def start(self) -> None:
        """Be told of its configuration, at once if there is one."""
        if self._registration is None and self._pid and isinstance(self._pid, str):
            self._registration = self._component.context.register_service(
                SERVICE_CONFIGADMIN_MANAGED, self, {PID: self._pid}
            )

    def stop(self) -> None:
        """Be told no more."""
        registration, self._registration = self._registration, None
        if registration is not None:
            with suppress(BundleException):  # its bundle may have lost it already
                registration.unregister()

    def clear(self) -> None:
        """The component has what it had without a configuration."""
        self._overlay.lay({})

    def is_valid(self) -> bool:
        """Whether there is a configuration, if there has to be, and none is laid aside."""
        return not self._aside and (self._there or self._configured.optional)

    def why(self) -> str:
        """What is missing."""
        if not self._pid:
            return "it requires a configuration, and has no property service.pid that says which"
        return f"there is no configuration {self._pid}"

    def updated(self, properties: dict[str, Any] | None) -> None:
        """For the administration."""
        disturbs = self._configured.restart or (
            properties is None and not self._configured.optional
        )
        if disturbs and self._component.state in _AT_WORK:
            self._aside = [properties]
        else:
            self._aside = []
            self._take(properties)
        self._component.look()

    def post_invalidate(self) -> None:
        """What was laid aside comes true."""
        if self._aside:
            self._take(self._aside.pop())

    def _take(self, properties: dict[str, Any] | None) -> None:
        self._there = properties is not None
        self._overlay.lay(properties or {})
        if self._component.state is Phase.ERRONEOUS:
            self._component.ask(Event.RETRY)


class RequiredFactory:
    """Makes such handlers."""

    def get_handlers(self, component: Component, instance: Any) -> list[Handler]:
        """See L{pop.components.hooks.IHandlerFactory}."""
        configured = component.declared.configuration(HANDLER_CONFIGADMIN)[CONFIGURED]
        return [Required(component, configured)]
