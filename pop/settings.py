"""Settings as zope schemas: checked, completed with defaults, read from texts, described."""

import copy
import math
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from zope.interface import Invalid, implementer
from zope.interface.interface import InterfaceClass
from zope.schema import ValidationError, getFieldsInOrder
from zope.schema.interfaces import (
    ConstraintNotSatisfied,
    IBool,
    ICollection,
    IDict,
    IFloat,
    IFromUnicode,
    IInt,
    InvalidURI,
    IPassword,
    IText,
    ITextLine,
    RequiredMissing,
    TooBig,
    TooLong,
    TooShort,
    TooSmall,
)

from pop.errors import BadSetting, ContradictorySettings, MissingSetting, NoSuchSetting
from pop.interfaces import ISettingsObject
from pop.sentence import did_you_mean


@implementer(ISettingsObject)
class Settings:
    """Validated settings, an attribute for each field."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the service type's settings have no field {name!r}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]  # their values may be dicts

    def as_json(self) -> Mapping[str, Any]:
        """All values, defaults included, as JSON can spell them."""
        return {name: _plain(value) for name, value in self.__dict__.items()}


def _plain(value: Any) -> Any:
    """Collections as lists; what has no order gets one, so that equal settings are equal JSON."""
    if isinstance(value, set | frozenset):
        return sorted((_plain(item) for item in value), key=repr)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _once(make: Callable[[InterfaceClass], Mapping[str, Any]]) -> Callable[..., Mapping[str, Any]]:
    """Keep what is made of a schema.

    By its identity: schemas are equal when their names and modules are, whatever their fields.
    """
    kept: dict[int, tuple[InterfaceClass, Mapping[str, Any]]] = {}

    @wraps(make)
    def once(schema: InterfaceClass) -> Mapping[str, Any]:
        if id(schema) not in kept:
            kept[id(schema)] = schema, make(schema)  # with the schema, so that its id stays its own
        return kept[id(schema)][1]

    return once


@_once
def fields(schema: InterfaceClass) -> Mapping[str, Any]:
    """The fields by name: the type's own first, in the order they were written, then the common."""
    found = getFieldsInOrder(schema)
    own = [(name, field) for name, field in found if field.interface is schema]
    return dict(own + [item for item in found if item not in own])


def validate(type_name: str, schema: InterfaceClass, values: Mapping[str, Any]) -> Settings:
    """Settings with every value checked and every default filled in.

    @param values: as in the settings node.
    @raise NoSuchSetting: one that the schema does not have.
    @raise BadSetting: a value of the wrong type, or out of range.
    @raise MissingSetting: a required one without default is not there.
    @raise ContradictorySettings: an invariant of the schema does not hold.
    """
    known = fields(schema)
    for name in values:
        find(type_name, schema, name)
    settings = Settings(
        {
            name: check(type_name, name, field, values[name])
            if values.get(name) is not None
            else _default(type_name, schema, name, field)
            for name, field in known.items()
        }
    )
    try:
        schema.validateInvariants(settings)
    except Invalid as error:
        raise ContradictorySettings(type=type_name, reason=str(error).rstrip(".")) from error
    return settings


def find(type_name: str, schema: InterfaceClass, name: str) -> Any:
    """A field by its name.

    @raise NoSuchSetting: with the nearest name that there is.
    """
    known = fields(schema)
    if name in known:
        return known[name]
    raise NoSuchSetting(type=type_name, setting=name, hint=did_you_mean(name, known))


def _default(type_name: str, schema: InterfaceClass, name: str, field: Any) -> Any:
    try:
        return copy.deepcopy(_defaults(schema)[name])  # so that no two services share one
    except KeyError:
        raise MissingSetting(type=type_name, setting=name, title=field.title) from None


@_once
def _defaults(schema: InterfaceClass) -> Mapping[str, Any]:
    """What is taken for those fields that need not be given."""
    return {
        name: field.default
        for name, field in fields(schema).items()
        if not field.required or field.default is not None
    }


def check(type_name: str, name: str, field: Any, value: Any) -> Any:
    """One value as JSON has it, if its field takes it.

    Whole numbers pass for floats, and lists for any collection: JSON knows no others.

    @raise BadSetting: with what the field would take.
    """
    try:
        _require_unicode(value)
        return _take(field, value)
    except _Refusal as error:
        raise _bad(type_name, name, field, value, error) from error


def _require_unicode(value: Any) -> None:
    """The command line lets bytes through that are no text, as lone surrogates."""
    try:
        str(value).encode()
    except UnicodeEncodeError as error:
        raise _Refusal(value, "it is not UTF-8") from error


def parse(type_name: str, name: str, field: Any, texts: Iterable[str]) -> Any:
    """A value from the command line.

    @param texts: one text, or as many as were given for a collection or a dictionary, whose
        items are written C{KEY=VALUE}.
    @raise BadSetting: no value of this field is written so.
    """
    try:
        value = _read(field, list(texts))
    except _Refusal as error:
        raise _bad(type_name, name, field, error.value, error) from error
    return check(type_name, name, field, value)


class _Refusal(Exception):
    """A field does not take a value: the value, and why, beginning with "it"."""

    def __init__(self, value: Any, reason: str) -> None:
        super().__init__(reason)
        self.value = value

    def of_each(self) -> "_Refusal":
        """The same of one item among others."""
        reason = str(self).removeprefix("it ")
        if reason.startswith("its "):
            return _Refusal(self.value, f"for each, {reason}")
        return _Refusal(self.value, reason if reason.startswith("each ") else f"each {reason}")


def _bad(type_name: str, name: str, field: Any, value: Any, error: _Refusal) -> BadSetting:
    shown = "what was given" if IPassword.providedBy(field) else repr(value)
    return BadSetting(type=type_name, setting=name, value=shown, reason=str(error))


def _take(field: Any, value: Any) -> Any:
    if isinstance(value, bool) != IBool.providedBy(field) and _is_number(field):
        raise _Refusal(value, f"it should be {_said(field)}")
    try:
        taken = _coerced(field, value)
        field.validate(taken)
    except (ValidationError, ValueError, TypeError, OverflowError) as error:
        raise _Refusal(value, reason(field, value, error)) from error
    return taken


def _is_number(field: Any) -> bool:
    """Whether Python takes a truth value for a value of this field, or the other way round."""
    return bool(IInt.providedBy(field) or IFloat.providedBy(field) or IBool.providedBy(field))


def _coerced(field: Any, value: Any) -> Any:
    """What stands in JSON, in the Python type that the field wants, with all its items."""
    if IFloat.providedBy(field) and isinstance(value, int | float):
        if not math.isfinite(value):
            raise ValueError("no number")
        return float(value)
    if ICollection.providedBy(field) and isinstance(value, list):
        wanted = getattr(field, "_type", None)
        items = [_item(_take, field.value_type, item) for item in value]
        return wanted(items) if isinstance(wanted, type) else items
    if IDict.providedBy(field) and isinstance(value, dict):
        return {
            _item(_take, field.key_type, key): _item(_take, field.value_type, item)
            for key, item in value.items()
        }
    return value


def _item(do: Callable[[Any, Any], Any], field: Any, value: Any) -> Any:
    """One of several values; any will do where the schema does not say which."""
    try:
        return value if field is None else do(field, value)
    except _Refusal as error:
        raise error.of_each() from error


def _read(field: Any, texts: list[str]) -> Any:
    """What was typed, as JSON would have it."""
    if IDict.providedBy(field):
        return dict(_pair(field, text) for text in texts)
    if ICollection.providedBy(field):
        return [_item(_read_one, field.value_type, text) for text in texts]
    return _read_one(field, texts[-1])


def _pair(field: Any, text: str) -> tuple[Any, Any]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise _Refusal(text, "it is not of the form KEY=VALUE")
    return _item(_read_one, field.key_type, key), _item(_read_one, field.value_type, value)


def _read_one(field: Any, text: str) -> Any:
    if IBool.providedBy(field):
        return _boolean(text)
    if not IFromUnicode.providedBy(field):
        raise _Refusal(text, "it cannot be given on the command line")
    try:
        return field.fromUnicode(text)
    except (ValidationError, ValueError) as error:
        raise _Refusal(text, reason(field, text, error)) from error


def _boolean(text: str) -> bool:
    words = {"true": True, "yes": True, "1": True, "on": True}
    words |= {"false": False, "no": False, "0": False, "off": False}
    if text.lower() not in words:
        raise _Refusal(text, "it is neither true nor false")
    return words[text.lower()]


def with_default(field: Any, default: Any) -> Any:
    """The same field of another interface, with a default that suits that one."""
    changed = copy.copy(field)
    changed.interface = None
    changed.default = default
    return changed


def repeats(field: Any) -> bool:
    """Whether an option of this field may be given several times."""
    return bool(IDict.providedBy(field) or ICollection.providedBy(field))


def kind(field: Any) -> str:
    """What an option of this field takes, in a word."""
    if IDict.providedBy(field):
        return "KEY=VALUE"
    if IBool.providedBy(field):
        return "true|false"
    if vocabulary := getattr(field, "vocabulary", None):
        return "|".join(str(term.value) for term in vocabulary)
    if ICollection.providedBy(field):
        return kind(field.value_type)
    return "INTEGER" if IInt.providedBy(field) else "NUMBER" if IFloat.providedBy(field) else "TEXT"


def reason(field: Any, value: Any, error: Exception) -> str:
    """Why a field does not take a value, in words that begin with "it"."""
    match error:
        case TooSmall() | TooBig():
            return f"it should be {_bounds(field.min, field.max)}"
        case TooShort() | TooLong():
            return f"its length should be {_bounds(field.min_length, field.max_length)}"
        case RequiredMissing():
            return "it should not be null"
        case InvalidURI():
            return "it is not a URI"
        case ConstraintNotSatisfied() if getattr(field, "vocabulary", None):
            return f"it should be one of {kind(field).replace('|', ', ')}"
        case ConstraintNotSatisfied() if ITextLine.providedBy(field) and set("\r\n") & set(value):
            return "it should be one line"
        case _Refusal():
            return str(error)
        case ValidationError() if not type(error).__module__.startswith("zope.schema"):
            return str(error.doc())  # a constraint's own exception says it
    return f"it should be {_said(field)}"


def _said(field: Any) -> str:
    if IDict.providedBy(field):
        return f"a mapping from {_many(field.key_type)} to {_many(field.value_type)}"
    if IBool.providedBy(field):
        return "true or false"
    if ICollection.providedBy(field):
        return "a list"
    if IInt.providedBy(field):
        return "a whole number"
    if IFloat.providedBy(field):
        return "a number"
    return "a text" if IText.providedBy(field) else f"a {type(field).__name__}"


def _many(field: Any) -> str:
    words = {"a text": "texts", "a whole number": "whole numbers", "a number": "numbers"}
    return words.get(_said(field), "values")


def _bounds(low: Any, high: Any) -> str:
    if low is not None and high is not None:
        return f"from {low} to {high}"
    return f"at least {low}" if low is not None else f"at most {high}"
