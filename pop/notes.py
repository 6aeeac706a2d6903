"""Launches as JSON, so that an agent knows what its predecessor has started, and with what."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pop.policy import Checks, Limits, Logs, Restarts
from pop.program import Launch, Program
from pop.recipe import Recipe


def launch_to_json(launch: Launch) -> dict[str, Any]:
    """What L{launch_from_json} makes an equal launch of."""
    program = launch.program
    return {
        **vars(launch),
        "environment": dict(launch.environment),
        "program": {
            **vars(program),
            "environment": dict(program.environment),
            # Each byte as the character of that number: JSON has texts only.
            "stdin": program.stdin.decode("latin-1"),
            "state": dict(program.state),
            "recipe": None if program.recipe is None else program.recipe.to_object(),
        },
        "limits": vars(launch.limits),
        "restarts": vars(launch.restarts),
        "checks": vars(launch.checks),
        "logs": vars(launch.logs),
    }


def launch_from_json(found: Mapping[str, Any]) -> Launch:
    """A launch that was noted, perhaps by another version of pop.

    What this version does not know is passed over, and what the other did not is as by default.

    @raise ValueError, TypeError, KeyError, AttributeError: it is none.
    """
    program = _known(Program, found["program"])
    program["stdin"] = str(program.get("stdin", "")).encode("latin-1")
    if (recipe := program.get("recipe")) is not None:
        program["recipe"] = Recipe.from_object(recipe)
    limits = _known(Limits, found.get("limits", {}))
    limits["rlimits"] = tuple((name, soft, hard) for name, soft, hard in limits.get("rlimits", ()))
    return Launch(
        **_known(Launch, found)
        | {
            "program": Program(**program),
            "limits": Limits(**limits),
            "restarts": Restarts(**_known(Restarts, found.get("restarts", {}))),
            "checks": Checks(**_known(Checks, found.get("checks", {}))),
            "logs": Logs(**_known(Logs, found.get("logs", {}))),
        }
    )


def _known(kind: type[Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a value; JSON's lists are tuples in all of them."""
    return {
        field.name: tuple(value) if isinstance(value := found[field.name], list) else value
        for field in fields(kind)
        if field.name in found
    }
