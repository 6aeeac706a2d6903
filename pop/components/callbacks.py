"""Which methods of a component class are called on what: the decorators of methods."""

from collections.abc import Callable
from types import FunctionType
from typing import Any, Final, NamedTuple, TypeVar

__all__ = [
    "ARG_BUNDLE_CONTEXT",
    "ARG_COMPONENT_CONTEXT",
    "ARG_PROPERTIES",
    "Bind",
    "BindField",
    "Invalidate",
    "InvalidateComponent",
    "Mark",
    "PostRegistration",
    "PostUnregistration",
    "Unbind",
    "UnbindField",
    "Update",
    "UpdateField",
    "Validate",
    "ValidateComponent",
    "marks_of",
]

Method = TypeVar("Method", bound=Callable[..., Any])

VALIDATE: Final = "VALIDATE"
INVALIDATE: Final = "INVALIDATE"
BIND: Final = "BIND"
UPDATE: Final = "UPDATE"
UNBIND: Final = "UNBIND"
BIND_FIELD: Final = "BIND_FIELD"
UPDATE_FIELD: Final = "UPDATE_FIELD"
UNBIND_FIELD: Final = "UNBIND_FIELD"
POST_REGISTRATION: Final = "POST_REGISTRATION"
POST_UNREGISTRATION: Final = "POST_UNREGISTRATION"

ARG_BUNDLE_CONTEXT: Final = "bundle_context"
ARG_COMPONENT_CONTEXT: Final = "component_context"
ARG_PROPERTIES: Final = "properties"
CHOICE: Final = (ARG_BUNDLE_CONTEXT, ARG_COMPONENT_CONTEXT, ARG_PROPERTIES)

_MARKS: Final = "__pop_callbacks__"
_TAKES_MORE: Final = 0x04  # CO_VARARGS
_TAKES_KEYWORDS: Final = 0x08  # CO_VARKEYWORDS


class Mark(NamedTuple):
    """What a method is to be called on.

    @ivar field: the requirement it is for; the empty text for all.
    @ivar arguments: what it takes, if it may choose.
    """

    kind: str
    field: str = ""
    if_valid: bool = False
    arguments: tuple[str, ...] | None = None


def marks_of(method: Any) -> list[Mark]:
    """What a method was decorated with."""
    marks = getattr(method, _MARKS, None) if isinstance(method, FunctionType) else None
    return marks if isinstance(marks, list) else []


def Validate(method: Method) -> Method:
    """Call it with the bundle's context once all requirements are met; what the component provides
    is registered after it has ended well."""
    return _marked(method, Mark(VALIDATE), 1)


def Invalidate(method: Method) -> Method:
    """Call it with the bundle's context when the component is no longer valid; what it required is
    still there."""
    return _marked(method, Mark(INVALIDATE), 1)


def Bind(method: Method) -> Method:
    """Call it with each object that is injected, and its reference."""
    return _marked(method, Mark(BIND), 2)


def Update(method: Method) -> Method:
    """Call it with an injected object, its reference and its properties as they were, when these
    have changed."""
    return _marked(method, Mark(UPDATE), 3)


def Unbind(method: Method) -> Method:
    """Call it with each object that is no longer injected, and its reference."""
    return _marked(method, Mark(UNBIND), 2)


def PostRegistration(method: Method) -> Method:
    """Call it with the reference of what has been registered for the component."""
    return _marked(method, Mark(POST_REGISTRATION), 1)


def PostUnregistration(method: Method) -> Method:
    """Call it with the reference of what was registered for the component."""
    return _marked(method, Mark(POST_UNREGISTRATION), 1)


def BindField(field: str, if_valid: bool = False) -> Callable[[Method], Method]:
    """Like L{Bind} for one field, whose name comes first."""
    return lambda method: _marked(method, Mark(BIND_FIELD, _named(field), if_valid), 3)


def UpdateField(field: str, if_valid: bool = False) -> Callable[[Method], Method]:
    """Like L{Update} for one field, whose name comes first."""
    return lambda method: _marked(method, Mark(UPDATE_FIELD, _named(field), if_valid), 4)


def UnbindField(field: str, if_valid: bool = False) -> Callable[[Method], Method]:
    """Like L{Unbind} for one field, whose name comes first."""
    return lambda method: _marked(method, Mark(UNBIND_FIELD, _named(field), if_valid), 3)


def ValidateComponent(*arguments: str) -> Callable[[Method], Method]:
    """Like L{Validate}, with the arguments that are named, in their order."""
    return _choosing(VALIDATE, arguments)


def InvalidateComponent(*arguments: str) -> Callable[[Method], Method]:
    """Like L{Invalidate}, with the arguments that are named, in their order."""
    return _choosing(INVALIDATE, arguments)


def _choosing(kind: str, arguments: tuple[str, ...]) -> Callable[[Method], Method]:
    if unknown := [name for name in arguments if name not in CHOICE]:
        raise TypeError(f"there is no argument {unknown[0]!r}; choose from {', '.join(CHOICE)}")
    mark = Mark(kind, arguments=arguments)
    return lambda method: _marked(method, mark, len(arguments))


def _named(field: Any) -> str:
    if not isinstance(field, str) or not field.isidentifier():
        raise TypeError(f"a field is named, not {field!r}")
    return field


def _marked(method: Method, mark: Mark, arguments: int) -> Method:
    """The method itself, which remembers what it is for."""
    if not isinstance(method, FunctionType):
        raise TypeError(f"@{mark.kind.title()} decorates a method, not {method!r}")
    _check_arguments(method, arguments + 1)
    marks = vars(method).setdefault(_MARKS, [])
    marks.append(mark)
    return method


def _check_arguments(method: FunctionType, count: int) -> None:
    """That a method can be called with so many arguments, its C{self} included."""
    code = method.__code__
    if code.co_flags & _TAKES_KEYWORDS:
        raise TypeError(f"{method.__qualname__} takes keywords, and would never get any")
    needed = code.co_argcount - len(method.__defaults__ or ())
    enough = bool(code.co_flags & _TAKES_MORE) or count <= code.co_argcount
    if not enough or count < needed or len(method.__kwdefaults__ or ()) < code.co_kwonlyargcount:
        raise TypeError(f"{method.__qualname__} must take {count} arguments, self included")
