"""Options made from the schema of a service type."""

from collections.abc import Mapping
from typing import Any

import click

from pop.settings import fields, kind, parse, repeats

PREFIX = "setting_"
"""Of the parameters' names, to keep them apart from the commands' own."""


def setting_options(service_type: Any, taken: tuple[str, ...] = ()) -> list[click.Option]:
    """An option for each setting of a type.

    @param taken: names of the command's own options; a setting called so is C{--setting-NAME}.
    """
    found = []
    for name, field in fields(service_type.settings).items():
        word = name.replace("_", "-")
        flag = f"--setting-{word}" if name in taken else f"--{word}"
        found.append(option(name, field, flag))
    return found


def option(name: str, field: Any, flag: str) -> click.Option:
    """An option for one field."""
    help = f"{field.title}.{_default(field)}"
    if kind(field) == "true|false":
        off = f"--no-{name.replace('_', '-')}"
        return click.Option([f"{flag}/{off}", PREFIX + name], default=None, help=help)
    return click.Option(
        [flag, PREFIX + name], metavar=kind(field), multiple=True, help=help, default=()
    )


def _default(field: Any) -> str:
    if repeats(field):
        return "  May be repeated."
    if field.required and field.default is None:
        return "  [required]"
    if field.default in (None, ""):
        return ""
    return f"  [default: {show(field.default)}]"


def given_settings(service_type: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that were given, read and checked.

    @raise pop.errors.BadSetting: one makes no sense.
    """
    known = fields(service_type.settings)
    found = {}
    for key, value in parameters.items():
        name = key.removeprefix(PREFIX)
        if key.startswith(PREFIX) and value not in (None, ()):
            texts = [show(value)] if isinstance(value, bool) else value
            found[name] = parse(service_type.name, name, known[name], texts)
    return found


def show(value: Any) -> str:
    """A value as it would be typed."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return " ".join(f"{key}={item}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
