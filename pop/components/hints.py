"""What the annotation of a field says of its requirement: C{hello: IHello} is enough."""

import ast
import sys
from dataclasses import replace
from types import FunctionType, UnionType
from typing import Any, Union, get_args, get_origin

from pop.frozen import frozen

__all__ = ["Hint", "hint_of"]

_SEVERAL = frozenset(("list", "List", "Sequence", "Iterable", "Collection", "tuple"))
_MAPS = frozenset(("dict", "Dict", "Mapping"))


@frozen
class Hint:
    """What is annotated.

    @ivar specification: an interface or a class.
    @ivar optional: C{| None} is written with it.
    @ivar mapping: it is a value of a mapping; and if that is a list, C{aggregate} too.
    """

    specification: Any
    aggregate: bool = False
    optional: bool = False
    mapping: bool = False


def hint_of(cls: type, field: str) -> Hint | None:
    """What a class or one of its parents annotates a field with; L{None} if nothing."""
    for owner in cls.__mro__:
        annotation = vars(owner).get("__annotations__", {}).get(field)
        if annotation is not None:
            return _read(annotation, _names_in(owner))
    return None


def _names_in(owner: type) -> dict[str, Any]:
    """The names that its module knows."""
    for value in vars(owner).values():
        if isinstance(value, FunctionType):
            return value.__globals__
    module = sys.modules.get(owner.__module__)
    return vars(module) if module else {}


def _read(annotation: Any, names: dict[str, Any]) -> Hint:
    if isinstance(annotation, str):
        return _read_text(ast.parse(annotation, mode="eval").body, names)
    origin = get_origin(annotation)
    inner = [given for given in get_args(annotation) if given is not type(None)]
    if origin in (Union, UnionType) and len(inner) == 1:
        return replace(_read(inner[0], names), optional=True)
    kind = getattr(origin, "__name__", "")
    if kind in _SEVERAL and inner:
        return replace(_read(inner[0], names), aggregate=True)
    if kind in _MAPS and inner:
        return replace(_read(inner[-1], names), mapping=True)
    forward = getattr(annotation, "__forward_arg__", None)
    return Hint(annotation) if forward is None else _read(forward, names)


def _read_text(node: ast.expr, names: dict[str, Any]) -> Hint:
    """An annotation that is not evaluated: interfaces cannot be written with C{|} at run time."""
    match node:
        case ast.BinOp(left=inner, op=ast.BitOr(), right=ast.Constant(value=None)):
            return replace(_read_text(inner, names), optional=True)
        case ast.Subscript(value=outer, slice=inner):
            return _read_subscript(ast.unparse(outer).rpartition(".")[2], inner, names)
        case ast.Constant(value=str(text)):
            return _read(text, names)
    return Hint(eval(ast.unparse(node), names))  # it is the author's own module


def _read_subscript(outer: str, inner: ast.expr, names: dict[str, Any]) -> Hint:
    items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if outer == "Optional":
        return replace(_read_text(inner, names), optional=True)
    if outer in _MAPS:
        return replace(_read_text(items[-1], names), mapping=True)
    if outer in _SEVERAL:
        return replace(_read_text(items[0], names), aggregate=True)
    raise TypeError(f"{outer}[{ast.unparse(inner)}] says nothing that can be required")
