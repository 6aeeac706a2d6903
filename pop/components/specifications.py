"""The names under which objects are registered and looked for.

An interface of L{zope.interface} is known by its full name, and what is registered under it is
found under every interface that it extends. So is a class. A name in a text stands for itself, and
for nothing else: that is for code that knows no interfaces.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from zope.interface import Interface
from zope.interface.interface import InterfaceClass

from pop.components.errors import BadSpecification

SPECIAL = frozenset("\\()&|=<>~*+#,;'\"")

Specification = str | InterfaceClass | type
"""One specification."""
Specifications = Specification | Iterable[Specification]
"""One, or several."""


def each(specifications: Any) -> tuple[Specification, ...]:
    """The specifications as they were given, one by one, each once.

    @raise BadSpecification: there is none, or one cannot be used as such.
    """
    several = (list, tuple, set, frozenset)
    given = tuple(specifications) if isinstance(specifications, several) else (specifications,)
    if not given:
        raise BadSpecification(specification="", reason="there is none at all")
    return tuple(dict.fromkeys(given))


def names(specifications: Any) -> tuple[str, ...]:
    """What has to be among an object's names for it to be all that is asked for.

    @raise BadSpecification: as L{each}.
    """
    return tuple(dict.fromkeys(name(one) for one in each(specifications)))


def all_names(specifications: Any) -> tuple[str, ...]:
    """All names under which an object is found that is registered under these."""
    if type(specifications) is str:
        return (_checked(specifications),)
    found: dict[str, None] = {}
    for one in each(specifications):
        found.update(dict.fromkeys(_inherited(one)))
    return tuple(found)


def name(specification: Any) -> str:
    """The name of one specification.

    @raise BadSpecification: it is none.
    """
    if isinstance(specification, str):
        return _checked(specification)
    if isinstance(specification, InterfaceClass):
        return str(specification.__identifier__)
    if isinstance(specification, type):
        return f"{specification.__module__}.{specification.__qualname__}"
    raise BadSpecification(
        specification=specification, reason="it is neither a name nor an interface nor a class"
    )


def _inherited(specification: Any) -> Iterable[str]:
    if isinstance(specification, InterfaceClass):
        return [name(base) for base in specification.__iro__ if base is not Interface]
    if isinstance(specification, type):
        return [name(base) for base in specification.__mro__ if base is not object]
    return [name(specification)]


@lru_cache(maxsize=4096)
def _checked(text: str) -> str:
    if not text.strip():
        raise BadSpecification(specification=text, reason="it is empty")
    if text != text.strip():
        raise BadSpecification(specification=text, reason="white space is around it")
    if special := SPECIAL.intersection(text):
        reason = f"{min(special)} has a meaning in filters"
        raise BadSpecification(specification=text, reason=reason)
    return text
