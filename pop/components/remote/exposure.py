"""Which methods of an object others may call."""

from collections.abc import Iterable, Iterator
from typing import Any

from zope.interface import providedBy
from zope.interface.interface import InterfaceClass, Method

from pop.components import specifications as spec
from pop.components.callbacks import marks_of


def exposed(object: Any, specifications: Iterable[str]) -> tuple[str, ...]:
    """The names of the methods that the specifications of an object stand for, sorted.

    Of an interface, those that it declares. Of a class, its public methods. A name in a text says
    nothing of methods: then they are the public ones of the object's class, but for those that are
    the framework's to call, as what is decorated with C{@Validate}.
    """
    interfaces = {spec.name(one): one for one in providedBy(object).flattened()}
    classes = {spec.name(one): one for one in type(object).__mro__}
    found: set[str] = set()
    for name in specifications:
        if name in interfaces:
            found.update(_declared(interfaces[name]))
        else:
            found.update(_public(classes.get(name, type(object))))
    return tuple(sorted(name for name in found if _callable(object, name)))


def _declared(interface: InterfaceClass) -> Iterator[str]:
    for name, description in interface.namesAndDescriptions(all=True):
        if isinstance(description, Method):
            yield name


def _public(kind: type) -> Iterator[str]:
    for name in dir(kind):
        if callable(member := getattr(kind, name, None)) and not marks_of(member):
            yield name


def _callable(object: Any, name: str) -> bool:
    return not name.startswith("_") and callable(getattr(object, name, None))
