"""How properties are written in a line: C{name=text}, or C{name:=value} as JSON writes it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pop.components.errors import BundleException

__all__ = ["NotAValue", "said"]


class NotAValue(BundleException):
    """{text} should be NAME=TEXT, or NAME:=VALUE with a value as JSON writes it."""


def said(values: Iterable[str], texts: Mapping[str, str]) -> dict[str, Any]:
    """The properties that a command was given.

    @param values: the words of the form C{name:=value}.
    @param texts: those of the form C{name=text}, which the shell has read.
    @raise NotAValue: a word is neither.
    """
    return {**texts, **dict(map(_value, values))}


def _value(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition(":=")
    try:
        if not name or not sign:
            raise ValueError
        return name, json.loads(value)
    except ValueError as error:
        raise NotAValue(text=text) from error
