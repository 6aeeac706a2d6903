"""Settings as zope schemas: checked, completed with defaults, read from texts, described."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from zope.interface import implementer
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
    NotAContainer,
    RequiredMissing,
    TooBig,
    TooLong,
    TooShort,
    TooSmall,
    WrongContainedType,
    WrongType,
)

from pop.errors import BadSetting, MissingSetting, NoSuchSetting
from pop.interfaces import ISettingsObject


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
        """All values, defaults included."""
        return dict(self.__dict__)


def fields(schema: InterfaceClass) -> dict[str, Any]:
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
    """
    known = fields(schema)
    for name in values:
        find(type_name, schema, name)
    return Settings(
        {
            name: check(type_name, name, field, values[name])
            if values.get(name) is not None
            else _default(type_name, name, field)
            for name, field in known.items()
        }
    )


def find(type_name: str, schema: InterfaceClass, name: str) -> Any:
    """A field by its name.

    @raise NoSuchSetting: with the nearest name that there is.
    """
    known = fields(schema)
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, 1)
    hint = f' (did you mean "{near[0]}"?)' if near else ""
    raise NoSuchSetting(type=type_name, setting=name, hint=hint)


def _default(type_name: str, name: str, field: Any) -> Any:
    if field.required and field.default is None:
        raise MissingSetting(type=type_name, setting=name, title=field.title)
    return field.default


def check(type_name: str, name: str, field: Any, value: Any) -> Any:
    """One value, if its field takes it.

    Whole numbers pass for floats, and lists for any collection: JSON knows no others.

    @raise BadSetting: with what the field would take.
    """
    if IFloat.providedBy(field) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if isinstance(value, list):
        value = _collected(field, value)
    try:
        if isinstance(value, bool) and IInt.providedBy(field):
            raise WrongType(value, int, name)
        field.validate(value)
    except (ValidationError, ValueError, TypeError) as error:
        raise _bad(type_name, name, field, value, error) from error
    return value


def _collected(field: Any, values: list[Any]) -> Any:
    """A list as the tuple or set that its field may want."""
    wanted = getattr(field, "_type", None) if ICollection.providedBy(field) else None
    return wanted(values) if isinstance(wanted, type) else values


def parse(type_name: str, name: str, field: Any, texts: Iterable[str]) -> Any:
    """A value from the command line.

    @param texts: one text, or as many as were given for a collection or a dictionary, whose
        items are written C{KEY=VALUE}.
    @raise BadSetting: no value of this field is written so.
    """
    given = list(texts)
    try:
        value = _read(field, given)
    except (ValidationError, ValueError) as error:
        raise _bad(type_name, name, field, given[-1], error) from error
    return check(type_name, name, field, value)


def _read(field: Any, texts: list[str]) -> Any:
    if IDict.providedBy(field):
        pairs = [text.partition("=") for text in texts]
        if not all(equals for _, equals, _ in pairs):
            raise ValueError("it is not of the form KEY=VALUE")
        return {
            _read(field.key_type, [key]): _read(field.value_type, [value])
            for key, _, value in pairs
        }
    if ICollection.providedBy(field):
        return [_read(field.value_type, [text]) for text in texts]
    if IBool.providedBy(field):
        return _boolean(texts[-1])
    if IFromUnicode.providedBy(field):
        return field.fromUnicode(texts[-1])
    raise ValueError("it cannot be given on the command line")


def _boolean(text: str) -> bool:
    words = {"true": True, "yes": True, "1": True, "on": True}
    words |= {"false": False, "no": False, "0": False, "off": False}
    if text.lower() not in words:
        raise ValueError("it is neither true nor false")
    return words[text.lower()]


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


def _bad(type_name: str, name: str, field: Any, value: Any, error: Exception) -> BadSetting:
    reason = _reason(field, value, error)
    return BadSetting(type=type_name, setting=name, value=repr(value), reason=reason)


def _reason(field: Any, value: Any, error: Exception) -> str:
    """Why a field does not take a value, in words."""
    match error:
        case TooSmall() | TooBig():
            return f"it should be {_range(field)}"
        case TooShort() | TooLong():
            return f"its length should be {_bounds(field.min_length, field.max_length)}"
        case RequiredMissing():
            return "a value is required"
        case WrongContainedType() | NotAContainer():
            return f"each should be {_said(getattr(field, 'value_type', None) or field)}"
        case InvalidURI():
            return "it is not a URI"
        case ConstraintNotSatisfied() if getattr(field, "vocabulary", None):
            return f"it should be one of {kind(field).replace('|', ', ')}"
        case ConstraintNotSatisfied() if "\n" in str(value):
            return "it should be one line"
        case ValueError() if not isinstance(error, ValidationError) and str(error).startswith(
            "it "
        ):
            return str(error)
    return f"it should be {_said(field)}"


def _said(field: Any) -> str:
    if IDict.providedBy(field):
        return "a mapping from texts to texts"
    if IBool.providedBy(field):
        return "true or false"
    if ICollection.providedBy(field):
        return "a list"
    if IInt.providedBy(field):
        return "a whole number"
    return "a number" if IFloat.providedBy(field) else "a text"


def _range(field: Any) -> str:
    return _bounds(getattr(field, "min", None), getattr(field, "max", None))


def _bounds(low: Any, high: Any) -> str:
    if low is not None and high is not None:
        return f"from {low} to {high}"
    return f"at least {low}" if low is not None else f"at most {high}"
