"""Where those who use a registration get their object from."""

from collections.abc import Callable
from typing import Any, Protocol

from twisted.logger import Logger

from pop.components.errors import FactoryFailed
from pop.components.reference import Owner

log = Logger()


class Supply(Protocol):
    """What a registration gives to bundles."""

    def get(self, user: Owner) -> Any:
        """The object that a bundle shares with itself, once more."""

    def unget(self, user: Owner) -> bool:
        """It is given back, once; whether it was had."""

    def get_instance(self, user: Owner) -> Any:
        """An object for one use."""

    def unget_instance(self, user: Owner, object: Any) -> bool:
        """It is given back; whether it was had."""

    def release(self, user: Owner) -> None:
        """A bundle gives back whatever it has."""


class OneForAll:
    """The same object for everybody."""

    __slots__ = ("object",)

    def __init__(self, object: Any) -> None:
        self.object = object

    def get(self, user: Owner) -> Any:
        """The object."""
        return self.object

    def unget(self, user: Owner) -> bool:
        """Who has it is counted elsewhere."""
        return True

    def get_instance(self, user: Owner) -> Any:
        """The object."""
        return self.object

    def unget_instance(self, user: Owner, object: Any) -> bool:
        """Only this object was ever given."""
        return object is self.object

    def release(self, user: Owner) -> None:
        """There is nothing to do."""


class OneForEach:
    """An object for each bundle, made when it is first asked for, until the last use of it ends.

    @ivar registration: what the factory is called with.
    @param check: refuses an object that the factory made.
    """

    def __init__(self, registration: Any, factory: Any, check: Callable[[Any], None]) -> None:
        self.registration = registration
        self.factory = factory
        self.check = check
        self.shared: dict[Owner, list[Any]] = {}

    def get(self, user: Owner) -> Any:
        """The bundle's object."""
        if (held := self.shared.get(user)) is None:
            held = self.shared[user] = [self.make(user), 0]
        held[1] += 1
        return held[0]

    def unget(self, user: Owner) -> bool:
        """The factory is told when nobody in the bundle has it any more."""
        if (held := self.shared.get(user)) is None:
            return False
        held[1] -= 1
        if not held[1]:
            del self.shared[user]
            self.end(user)
        return True

    def get_instance(self, user: Owner) -> Any:
        """The bundle's object."""
        return self.get(user)

    def unget_instance(self, user: Owner, object: Any) -> bool:
        """Only the bundle's object."""
        held = self.shared.get(user)
        return held is not None and held[0] is object and self.unget(user)

    def release(self, user: Owner) -> None:
        """All uses at once."""
        if self.shared.pop(user, None):
            self.end(user)

    def make(self, user: Owner) -> Any:
        """A new object from the factory.

        @raise FactoryFailed: it gave none, or one that breaks a promise.
        """
        try:
            made = self.factory.get_service(user, self.registration)
            if made is None:
                raise ValueError("it returned None")
            self.check(made)
        except Exception as error:
            reference = self.registration.reference
            owner = reference.bundle.get_symbolic_name()
            raise FactoryFailed(id=reference.id, bundle=owner, reason=error) from error
        return made

    def end(self, user: Owner) -> None:
        """Tell the factory that a bundle uses it no more; that it fails harms nobody."""
        self.tell(self.factory.unget_service, user, self.registration)

    def tell(self, call: Callable[..., Any], *arguments: Any) -> None:
        """Call the factory; what it raises is logged."""
        try:
            call(*arguments)
        except Exception:
            log.failure("A factory failed, of {registration}", registration=self.registration)


class OneForEachUse(OneForEach):
    """An object for each use."""

    def __init__(self, registration: Any, factory: Any, check: Callable[[Any], None]) -> None:
        super().__init__(registration, factory, check)
        self.instances: dict[Owner, list[Any]] = {}

    def get_instance(self, user: Owner) -> Any:
        """A new object."""
        made = self.make(user)
        self.instances.setdefault(user, []).append(made)
        return made

    def unget_instance(self, user: Owner, object: Any) -> bool:
        """The factory is told of each, and when it was the last."""
        held = self.instances.get(user, [])
        for place, made in enumerate(held):
            if made is object:
                del held[place]
                self.tell(self.factory.unget_service_instance, user, self.registration, object)
                if not held:
                    self.instances.pop(user, None)
                    self.end(user)
                return True
        return False

    def end(self, user: Owner) -> None:
        """Only when the bundle has neither an object of its own nor those of single uses."""
        if user not in self.shared and user not in self.instances:
            super().end(user)

    def release(self, user: Owner) -> None:
        """All uses at once."""
        held = self.instances.pop(user, [])
        for made in held:
            self.tell(self.factory.unget_service_instance, user, self.registration, made)
        if self.shared.pop(user, None) or held:
            self.end(user)
