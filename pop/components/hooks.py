"""What else may take part in the lives of components: handlers that bundles contribute."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from twisted.logger import Logger
from zope.interface import Interface

if TYPE_CHECKING:
    from pop.components.component import Component

__all__ = ["HANDLER_ID", "SERVICE_HANDLER_FACTORY", "Handler", "Handlers", "IHandlerFactory"]

log = Logger()

SERVICE_HANDLER_FACTORY: Final = "ipopo.handler.factory"
"""Under this name a bundle registers what makes handlers."""
HANDLER_ID: Final = "ipopo.handler.id"
"""The property that says for which declarations: those of C{context.configuration(id)}."""


class IHandlerFactory(Interface):
    """Makes handlers for those components whose class declares something for them."""

    def get_handlers(component: "Component", instance: Any) -> "Iterable[Handler]":
        """The handlers of a component that is about to be started."""


class Handler:
    """Takes part in the life of one component. All that it does not redefine does nothing.

    A handler whose L{is_valid} changes its mind calls the component's C{look()}.
    """

    def start(self) -> None:
        """The component is about to look for what it requires."""

    def stop(self) -> None:
        """The component is gone."""

    def clear(self) -> None:
        """Forget it."""

    def is_valid(self) -> bool:
        """Whether the component may be valid."""
        return True

    def why(self) -> str:
        """Why it may not be, for people."""
        return f"{type(self).__name__} does not let it be valid"

    def pre_validate(self) -> None:
        """It is about to become valid."""

    def post_validate(self) -> None:
        """It is valid, and what it provides is registered."""

    def pre_invalidate(self) -> None:
        """It is about to become invalid."""

    def post_invalidate(self) -> None:
        """It is invalid."""

    def on_property_change(self, name: str, old: Any, new: Any) -> None:
        """It has another property."""

    def on_hidden_property_change(self, name: str, old: Any, new: Any) -> None:
        """It has another hidden property."""

    def on_controller_change(self, name: str, value: bool) -> None:
        """A registration of it was switched on or off."""


class Handlers(list[Handler]):
    """All handlers of one component, which no failure of theirs may keep from living or ending."""

    __slots__ = ()

    def tell(self, deed: str, *arguments: Any) -> None:
        """Let each take part, by a method of that name; what one raises is logged."""
        for handler in self:
            self._ask(handler, deed, *arguments)

    def valid(self) -> bool:
        """Whether all let the component be valid; one that fails does not."""
        # No generator is made for what nearly always is empty.
        return not self or all(self._ask(handler, "is_valid") for handler in self)

    def why(self) -> list[str]:
        """What keeps the component from being valid, one sentence for each that does."""
        return [
            self._ask(handler, "why") or f"{handler!r} failed"
            for handler in self
            if not self._ask(handler, "is_valid")
        ]

    def _ask(self, handler: Handler, deed: str, *arguments: Any) -> Any:
        try:
            return getattr(handler, deed)(*arguments)
        except Exception:
            log.failure("{handler} failed to {deed}", handler=handler, deed=deed)
            return None
