"""What is called back: the methods of a component's object that its class has decorated."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from pop.components.callbacks import (
    ARG_BUNDLE_CONTEXT,
    ARG_COMPONENT_CONTEXT,
    BIND,
    BIND_FIELD,
    UNBIND,
    UNBIND_FIELD,
    UPDATE,
    UPDATE_FIELD,
)
from pop.components.calls import Pause
from pop.components.context import BundleContext
from pop.components.errors import BundleException, FrameworkException
from pop.components.factory import FactoryContext, FieldCallback
from pop.components.life import Life, Phase
from pop.components.notices import Kind
from pop.components.properties import Properties
from pop.components.reference import ServiceReference

if TYPE_CHECKING:
    from pop.components.container import Container

__all__ = ["Callee"]

log = Logger()


class Callee:
    """An object with callbacks, each of which may take its time and may fail.

    @ivar instance: the object itself.
    @ivar properties: what its registrations show.
    @ivar calling: the callback that has been called and has not ended, by name; or none.
    """

    __slots__ = (
        *("calling", "container", "context", "declared"),
        *("instance", "life", "name", "properties"),
    )

    def __init__(
        self,
        container: "Container",
        declared: FactoryContext,
        context: BundleContext,
        name: str,
        instance: Any,
    ) -> None:
        self.container = container
        self.declared = declared
        self.context = context
        self.name = name
        self.instance = instance
        self.properties: dict[str, Any] = {}
        self.life = Life()
        self.calling = ""

    @property
    def state(self) -> Phase:
        """Where it is in its life."""
        return self.life.phase

    def alarm(self, error: FrameworkException) -> None:
        """A callback says that it cannot go on."""
        raise NotImplementedError

    async def bound(self, field: str, reference: ServiceReference, it: Any) -> None:
        """Something was injected."""
        if self.declared.callbacks or self.declared.field_callbacks:
            await self.call(BIND, it, reference)
            await self._call_for_field(BIND_FIELD, field, it, reference)
        self.tell(Kind.BOUND)

    async def updated(
        self,
        field: str,
        reference: ServiceReference,
        it: Any,
        previous: Properties | None,
    ) -> None:
        """What was injected has other properties."""
        if self.declared.callbacks or self.declared.field_callbacks:
            old = {} if previous is None else previous.as_dict()
            await self._call_for_field(UPDATE_FIELD, field, it, reference, old)
            await self.call(UPDATE, it, reference, old)

    async def unbound(self, field: str, reference: ServiceReference, it: Any) -> None:
        """Something is about to be taken away."""
        if self.declared.callbacks or self.declared.field_callbacks:
            await self._call_for_field(UNBIND_FIELD, field, it, reference)
            await self.call(UNBIND, it, reference)
        self.tell(Kind.UNBOUND)

    async def call(self, kind: str, *arguments: Any) -> BaseException | None:
        """Call a callback, if there is one, and wait for it; gives what it raised."""
        callback = self.declared.callbacks.get(kind)
        if callback is None:
            return None
        return await self._call(getattr(self.instance, callback.method), arguments)

    async def call_of_life(self, kind: str) -> BaseException | None:
        """The same for those that may choose their arguments."""
        callback = self.declared.callbacks.get(kind)
        if callback is None:
            return None
        arguments: Iterable[Any] = (self.context,)
        if callback.arguments is not None:
            arguments = map(self._argument, callback.arguments)
        return await self._call(getattr(self.instance, callback.method), arguments)

    def _argument(self, name: str) -> Any:
        if name == ARG_BUNDLE_CONTEXT:
            return self.context
        return self if name == ARG_COMPONENT_CONTEXT else dict(self.properties)

    async def _call_for_field(self, kind: str, field: str, *arguments: Any) -> None:
        callback: FieldCallback | None = self.declared.field_callbacks.get(kind, {}).get(field)
        if callback and (self.life.phase is Phase.VALID or not callback.if_valid):
            await self._call(getattr(self.instance, callback.method), (field, *arguments))

    async def _call(
        self, method: Callable[..., Any], arguments: Iterable[Any]
    ) -> BaseException | None:
        try:
            result = method(*arguments)
            if result is not None:
                name = f"{method.__qualname__} of component {self.name}"
                if waiting := self.container.patience.deferred(name, result):
                    self.calling = method.__name__
                    await Pause(waiting)
        except FrameworkException as error:
            self.complain("{method} cannot go on", method=method.__qualname__)
            self.alarm(error)
            return error
        except BundleException as error:  # what an operator can mend
            log.error("{component}: {error}", component=self.name, error=error)
            return error
        except Exception as error:
            self.complain("{method} failed", method=method.__qualname__)
            return error
        finally:
            self.calling = ""
        return None

    def tell(self, kind: Kind) -> None:
        """Tell those who listen to components."""
        if self.container.listeners:
            self.container.tell(kind, self.declared.name, self.name)

    def complain(self, what: str, **fields: Any) -> None:
        """Log the exception that is being handled."""
        log.failure("{component}: " + what, component=self.name, **fields)
