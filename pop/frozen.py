"""Values: frozen dataclasses that share their methods.

The standard decorator writes six methods for each class and has them compiled, half a millisecond
each time. An agent knows seventy such classes, and every start of it, also the one after it was
killed, would spend a tenth on that. What is decorated here is a dataclass to L{dataclasses.fields},
L{dataclasses.replace}, to patterns and to type checkers all the same. Each object takes a
microsecond longer to make: what is made by the thousand keeps the standard one.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")
Names = tuple[str, ...]


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make a class whose objects are made of their fields, equal by them, and never changed.

    Everything that C{field} can say of a field holds, but for C{init=False} and C{kw_only=True}. A
    C{__post_init__} sets fields by C{object.__setattr__}.
    """
    made: Any = dataclass(init=False, repr=False, eq=False)(cls)
    made.__init__ = _completed(_init(made)) if hasattr(made, "__post_init__") else _init(made)
    made.__repr__ = _repr
    made.__eq__, made.__hash__ = _equality(made)
    made.__setattr__ = made.__delattr__ = _refuse
    return cls


def _init(cls: Any) -> Callable[..., None]:
    every = tuple(each.name for each in fields(cls))
    defaults = {each.name: each.default for each in fields(cls) if each.default is not MISSING}
    factories = tuple(
        (each.name, each.default_factory)
        for each in fields(cls)
        if each.default_factory is not MISSING
    )

    names = frozenset(every)

    def __init__(self: Any, /, *given: Any, **named: Any) -> None:
        found = self.__dict__
        found.update(defaults)
        found.update(zip(every, given, strict=False))
        found.update(named)
        for name, make in factories:
            if name not in found:
                found[name] = make()
        if found.keys() != names or _twice(every, given, named):
            raise TypeError(_mistake(cls, every, given, named))

    return __init__


def _completed(make: Callable[..., None]) -> Callable[..., None]:
    """Not asked for each object: most classes have nothing to complete."""

    def __init__(self: Any, /, *given: Any, **named: Any) -> None:
        make(self, *given, **named)
        self.__post_init__()

    return __init__


def _twice(every: Names, given: tuple[Any, ...], named: Mapping[str, Any]) -> bool:
    """Whether there is more than one value for a field, or for none."""
    if not (given and named):
        return len(given) > len(every)
    return len(given) > len(every) or not named.keys().isdisjoint(every[: len(given)])


def _mistake(cls: Any, every: Names, given: tuple[Any, ...], named: Mapping[str, Any]) -> str:
    """Say how a value is not made."""
    if strange := [name for name in named if name not in every]:
        return f"{cls.__name__} has no field {strange[0]!r}"
    if _twice(every, given, named):
        return f"{cls.__name__} has {len(every)} fields, each to be given once"
    there = {*every[: len(given)], *named, *cls.__dict__}
    missing = [name for name in every if name not in there]
    return f"{cls.__name__} needs the field {missing[0]!r}"


def _equality(cls: Any) -> tuple[Callable[[Any, object], bool], Callable[[Any], int]]:
    compared = _values(each.name for each in fields(cls) if each.compare)
    hashed = _values(
        each.name for each in fields(cls) if (each.compare if each.hash is None else each.hash)
    )

    def __eq__(self: Any, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return bool(compared(self) == compared(other))

    return __eq__, lambda self: hash(hashed(self))


def _values(names: Iterable[str]) -> Callable[[Any], Any]:
    """What gets these fields of an object, all at once."""
    names = tuple(names)
    return attrgetter(*names) if names else lambda _: ()


def _repr(self: Any) -> str:
    shown = [f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr]
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse(self: Any, name: str, *_: object) -> None:
    raise FrozenInstanceError(f"the field {name!r} of a frozen object is not changed")
