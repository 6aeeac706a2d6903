"""A server that was given other properties listens anew with them."""

from typing import Any

from pop.components.component import Component
from pop.components.hooks import Handler
from pop.components.life import Phase

READ = "pelix.http"
"""How the names begin of the properties that a server reads when it begins to listen."""


class Renewal(Handler):
    """Has a component become invalid, and valid again, when a property has changed that it has read
    already: else it would say that it asks for passwords, and let everybody in.

    @ivar due: whether one has.
    """

    def __init__(self, component: Component) -> None:
        self._component = component
        self.due = False

    def is_valid(self) -> bool:
        """Not until it has stopped."""
        return not self.due

    def why(self) -> str:
        """For people."""
        return "it stops, to listen as its properties say now"

    def on_property_change(self, name: str, old: Any, new: Any) -> None:
        """Is it one of those?"""
        at_work = self._component.state in (Phase.VALIDATING, Phase.VALID)
        if at_work and name.startswith(READ):
            self.due = True
            self._component.look()
