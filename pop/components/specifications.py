"""The names under which objects are registered and looked for.

An interface of L{zope.interface} is known by its full name, and what is registered under it is
found under every interface that it extends. So is a class, unless L{Specification} gives it other
names. A name in a text stands for itself, and for nothing else: that is for code that knows no
interfaces.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final, Generic, Protocol, TypeVar

from zope.interface import Interface
from zope.interface.interface import InterfaceClass

from pop.components.errors import BadSpecification

SPECIAL = frozenset("\\()&|=<>~*+#,;'\"")

Specified = str | InterfaceClass | type
"""One specification."""
_NAMES: Final = "__SPECIFICATION__"
_ALONE: Final = "__pop_specified_alone__"
Kind = TypeVar("Kind", bound=type)


def Specification(*specifications: Any, ignore_parent: bool = False) -> Callable[[Kind], Kind]:
    """Let a class stand for other names than its own: those of specifications, all of them.

    @param ignore_parent: what is registered under the class is not found under its bases, too.
    @raise BadSpecification: there is none, or one cannot be used as such.
    """
    own = names(_flat(specifications))

    def decorate(kind: Kind) -> Kind:
        if not isinstance(kind, type):
            raise BadSpecification(specification=kind, reason="only a class has other names")
        setattr(kind, _ALONE, ignore_parent)
        inherited = [one for base in _line(kind)[1:] for one in vars(base).get(_NAMES, ())]
        setattr(kind, _NAMES, tuple(dict.fromkeys((*own, *inherited))))
        return kind

    return decorate


def _flat(specifications: Iterable[Any]) -> tuple[Specified, ...]:
    return tuple(one for several in specifications for one in each(several))


def each(specifications: Any) -> tuple[Specified, ...]:
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
    return tuple(dict.fromkeys(own for one in each(specifications) for own in _own(one)))


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


def _own(specification: Any) -> tuple[str, ...]:
    """What one specification stands for; of a class, only if it has other names itself."""
    given = vars(specification).get(_NAMES) if isinstance(specification, type) else None
    return given or (name(specification),)


def _inherited(specification: Any) -> Iterable[str]:
    if isinstance(specification, InterfaceClass):
        return [name(base) for base in specification.__iro__ if base is not Interface]
    if isinstance(specification, type):
        return [own for base in _line(specification) for own in _own(base)]
    return [name(specification)]


def _line(kind: type) -> list[type]:
    """A class and its bases, but L{object}, those of which protocols and generic classes are made,
    and those that one of them ignores."""
    alone = (base for base in kind.__mro__ if vars(base).get(_ALONE))
    ignored = {object, Generic, Protocol}.union(*(base.__mro__[1:] for base in alone))
    return [base for base in kind.__mro__ if base not in ignored]


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
