"""What a component shows of itself: its properties, and what it registers while it is valid."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from pop.components.callbacks import POST_REGISTRATION, POST_UNREGISTRATION
from pop.components.callee import Callee
from pop.components.calls import Pause
from pop.components.context import BundleContext
from pop.components.errors import BundleException
from pop.components.factory import INSTANCE_NAME, FactoryContext
from pop.components.hooks import Handlers
from pop.components.offer import Offer

if TYPE_CHECKING:
    from pop.components.container import Container
    from pop.components.dependency import Dependency

__all__ = ["Provider"]

log = Logger()


class Provider(Callee):
    """An object with properties, that is registered as long as it should be.

    @ivar error_trace: why it last failed to become valid.
    @ivar refused: it holds since the registry refused it, and not because it was asked to.
    @ivar toggled: a controller has another value.
    @ivar waits_for: those that still use what it has taken back.
    """

    __slots__ = (
        "dependencies",
        "error_trace",
        "handlers",
        "hidden",
        "offers",
        "refused",
        "toggled",
        "waits_for",
    )

    def __init__(
        self,
        container: "Container",
        declared: FactoryContext,
        context: BundleContext,
        name: str,
        instance: Any,
    ) -> None:
        super().__init__(container, declared, context, name, instance)
        self.hidden: dict[str, Any] = {}
        self.offers = [Offer(provision) for provision in declared.provisions]
        self.dependencies: list[Dependency] = []
        self.handlers = Handlers()
        self.error_trace: str | None = None
        self.refused = False
        self.toggled = False
        self.waits_for: frozenset[Provider] = frozenset()

    def look(self) -> None:
        """Do what is to be done."""
        raise NotImplementedError

    def hold(self) -> None:
        """It cannot be valid as it is."""
        raise NotImplementedError

    # What it registers

    async def offer(self) -> None:
        """Make each registration that should be there, and take back each that should not."""
        self.toggled = False
        for offer in self.offers:
            if not offer.wanted(self.instance):
                await self.take_back(offer)
            elif offer.registration is None:
                await self._make(offer)

    async def _make(self, offer: Offer) -> None:
        try:
            properties = {**self.properties, INSTANCE_NAME: self.name}
            offer.make(self.context, self.instance, properties)
        except BundleException as error:
            log.error("{component} is not valid: {error}", component=self.name, error=error)
            self.error_trace, self.refused = str(error), True
            self.hold()
            return
        await self.call(POST_REGISTRATION, offer.reference)

    async def take_back(self, offer: Offer) -> None:
        """Those who use it may take their time to let it go."""
        registration, offer.registration = offer.registration, None
        if registration is None:
            return
        try:
            registration.unregister()
        except BundleException:
            return  # its bundle has lost it already
        reference = registration.reference
        await self.call(POST_UNREGISTRATION, reference)
        if waiting := self.container.lingering.wait(reference, self):
            await Pause(waiting)
            self.waits_for = frozenset()

    # What its fields say

    def property_changed(self, name: str, old: Any, new: Any, hidden: bool) -> None:
        """A field that holds a property was given another value."""
        if hidden:
            self.hidden[name] = new
            self.handlers.tell("on_hidden_property_change", name, old, new)
            return
        self.properties[name] = new
        self._show(name, old, new, {name: new})

    def drop_property(self, name: str) -> None:
        """Have a property no more, unless it is a field's."""
        if name in self.properties and name not in self.declared.properties:
            self._show(name, self.properties.pop(name), None, {}, (name,))

    def reset_property(self, name: str) -> None:
        """Let a property be what it is when nobody says another."""
        hidden, properties = self.declared.hidden, self.declared.properties
        bare = name.removeprefix(".")
        if bare not in hidden and name not in properties:
            self.drop_property(name)
            return
        default = hidden[bare] if bare in hidden else properties[name]
        value = self.context.get_property(bare if bare in hidden else name)
        written = f".{bare}" if bare in hidden else name
        self.set_properties({written: default if value is None else value})

    def _show(
        self,
        name: str,
        old: Any,
        new: Any,
        changes: Mapping[str, Any],
        removed: tuple[str, ...] = (),
    ) -> None:
        for offer in self.offers:
            if offer.registration is not None:
                offer.registration.set_properties(changes, removed)
        for dependency in self.dependencies:
            dependency.property_changed(self.properties)
        self.handlers.tell("on_property_change", name, old, new)

    def set_properties(self, properties: Mapping[str, Any]) -> None:
        """Change several, by name; a hidden one by its name with a dot before it."""
        fields = {name: field for field, name in self.declared.property_fields.items()}
        hidden = {f".{name}": field for field, name in self.declared.hidden_fields.items()}
        for name, value in properties.items():
            if field := fields.get(name) or hidden.get(name):
                setattr(self.instance, field, value)
            elif name in self.hidden:
                log.warn("{name} is hidden: to change it, write .{name}", name=name)
            elif name != INSTANCE_NAME and self.properties.get(name) != value:
                self.property_changed(name, self.properties.get(name), value, False)

    def controller_changed(self, field: str) -> None:
        """Something should be registered, or no more."""
        self.handlers.tell("on_controller_change", field, getattr(self.instance, field))
        self.toggled = True
        self.look()
