"""What a component class is and provides: the decorators of classes."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pop.components.callbacks import marks_of
from pop.components.factory import (
    CONTEXT,
    Callback,
    FactoryContext,
    FactoryManipulationError,
    FieldCallback,
    Provision,
    context_of,
)
from pop.components.fields import ControllerField, PropertyField
from pop.components.requirement import listed

__all__ = [
    "ComponentFactory",
    "HiddenProperty",
    "Instantiate",
    "Property",
    "Provides",
    "SingletonFactory",
    "declaring",
]

Class = TypeVar("Class", bound=type)


def declaring(cls: Any) -> FactoryContext:
    """What a class itself declares, to be added to."""
    if not isinstance(cls, type):
        raise TypeError(f"a component is a class, not {cls!r}")
    context = context_of(cls)
    if context is None:
        context = FactoryContext()
        setattr(cls, CONTEXT, context)
    if context.complete:
        raise FactoryManipulationError(
            f"{cls.__qualname__} is a component factory already: decorate it further below "
            "@ComponentFactory"
        )
    return context


class ComponentFactory:
    """Make a class a factory of components; the topmost of its decorators.

    A subclass of a factory inherits all that its parent declares, but for what is instantiated, and
    for what C{excluded} names by handler, as in C{"ipopo.provides"}.
    """

    singleton = False

    def __init__(
        self, name: str | None = None, excluded: str | Iterable[str] | None = None
    ) -> None:
        if name is not None and (not isinstance(name, str) or not name.strip()):
            raise TypeError(f"a component factory is named, not {name!r}")
        self.name = name
        self.excluded = [excluded] if isinstance(excluded, str) else list(excluded or ())

    def __call__(self, cls: Class) -> Class:
        own = declaring(cls)
        context = _completed(cls, own, self.excluded)
        context.name = self.name or f"{cls.__name__}Factory"
        context.singleton = self.singleton
        context.instances = own.instances
        context.complete = True
        setattr(cls, CONTEXT, context)
        for field in context.requirements():
            if field.isidentifier() and not hasattr(cls, field):
                setattr(cls, field, None)
        return cls


class SingletonFactory(ComponentFactory):
    """Like L{ComponentFactory}, for one component at a time at most."""

    singleton = True


def _completed(cls: type, own: FactoryContext, excluded: Iterable[str]) -> FactoryContext:
    """What a class declares, with what it inherits."""
    context = FactoryContext()
    for base in reversed(cls.__bases__):
        context.add(_declared(base))
    context.exclude(excluded)
    context.add(own)
    _add_callbacks(context, cls)
    return context


def _declared(cls: type) -> FactoryContext:
    """What a parent declares, be it a factory or not."""
    own = context_of(cls)
    if own is not None and own.complete:
        return own
    return _completed(cls, own or FactoryContext(), ())


def _add_callbacks(context: FactoryContext, cls: type) -> None:
    seen = set()
    for name, method in vars(cls).items():
        for mark in marks_of(method):
            if (mark.kind, mark.field) in seen:
                raise FactoryManipulationError(
                    f"{cls.__qualname__} has two callbacks for {mark.kind} {mark.field}".rstrip()
                )
            seen.add((mark.kind, mark.field))
            if mark.field:
                callbacks = context.field_callbacks.setdefault(mark.kind, {})
                callbacks[mark.field] = FieldCallback(name, mark.if_valid)
            else:
                context.callbacks[mark.kind] = Callback(name, mark.arguments)


class Instantiate:
    """Make a component of that name as soon as the bundle of its factory has started."""

    def __init__(self, name: str, properties: Mapping[str, Any] | None = None) -> None:
        if not isinstance(name, str):
            raise TypeError(f"a component is named, not {name!r}")
        if not name.strip():
            raise ValueError("a component has a name")
        if properties is not None and not isinstance(properties, Mapping):
            raise TypeError(f"properties are a mapping, not {properties!r}")
        self.name = name
        self.properties = dict(properties or {})

    def __call__(self, cls: Class) -> Class:
        context = context_of(cls) if isinstance(cls, type) else None
        context = context if context and context.complete else declaring(cls)
        if self.name in context.instances:
            raise NameError(f"{cls.__qualname__} is to be instantiated twice as {self.name!r}")
        # Decorators come from the bottom up, and people read from the top down.
        context.instances = {self.name: self.properties, **context.instances}
        return cls


class Property:
    """A field that holds a property of the component, which its registrations show too.

    Its first value is what the component was instantiated with; else the framework's property of
    that name; else the one given here; else what the class says.
    """

    hidden = False

    def __init__(self, field: str, name: str | None = None, value: Any = None) -> None:
        if not isinstance(field, str) or not field.isidentifier():
            raise _bad_field(field)
        if name is not None and (not isinstance(name, str) or not name.strip()):
            raise _bad_field(name)
        self.field = field
        self.name = name or field
        self.value = value

    def __call__(self, cls: Class) -> Class:
        context = declaring(cls)
        value = self.value
        if value is None:
            before = getattr(cls, self.field, None)
            value = before.default if isinstance(before, PropertyField) else before
        values, fields = (
            (context.hidden, context.hidden_fields)
            if self.hidden
            else (context.properties, context.property_fields)
        )
        context.forget(self.field)
        values[self.name] = value
        fields[self.field] = self.name
        setattr(cls, self.field, PropertyField(self.field, self.name, value, self.hidden))
        return cls


class HiddenProperty(Property):
    """A L{Property} that nobody is shown: a password, for one."""

    hidden = True


class Provides:
    """Register each component while it is valid.

    Without a specification, as what the class implements; as its parents, if it implements nothing.

    @param controller: a field that says whether it is registered; true at first.
    @param factory: the component is a factory: it makes an object for each bundle that asks.
    @param prototype: it makes an object for each time that somebody asks.
    """

    def __init__(
        self,
        specifications: Any = None,
        controller: str | None = None,
        factory: bool = False,
        prototype: bool = False,
    ) -> None:
        if controller is not None and (
            not isinstance(controller, str) or not controller.isidentifier()
        ):
            raise _bad_field(controller)
        given = () if specifications is None or specifications == () else listed(specifications)
        self.provision = Provision(given, controller, factory, prototype)

    def __call__(self, cls: Class) -> Class:
        context = declaring(cls)
        context.provisions.insert(0, self.provision)
        field = self.provision.controller
        if field is not None and not isinstance(getattr(cls, field, None), ControllerField):
            setattr(cls, field, ControllerField(field, bool(getattr(cls, field, True))))
        return cls


def _bad_field(field: Any) -> Exception:
    if not isinstance(field, str):
        return TypeError(f"a field is named, not {field!r}")
    return ValueError(f"{field!r} is no name for a field")
