"""The arguments of a task: read from what was typed, and explained, by its schema."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from zope.interface import Invalid

from pop.cli.options import PREFIX, option, show
from pop.errors import BadArgument, BadSetting, ContradictoryArguments
from pop.settings import Settings, kind, parse, repeats
from pop.tasks import Task, argument_fields, is_positional


class TaskCommand(click.Command):
    """A command that says of its arguments, too, what they are.

    @ivar places: the fields of those that are given by their place.
    """

    places: Mapping[str, Any]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The arguments, then the options."""
        if self.places:
            with formatter.section("Arguments"):
                formatter.write_dl([_explained(name, f) for name, f in self.places.items()])
        super().format_options(ctx, formatter)


def task_command(
    service: str, task: Task, options: Sequence[click.Parameter] = (), taken: Iterable[str] = ()
) -> click.Command:
    """A command line for a task of a service.

    @param options: more than the task's own.
    @param taken: names of those; an argument called so is C{--argument-NAME}.
    """
    fields = argument_fields(task)
    places = {name: field for name, field in fields.items() if is_positional(field)}
    params: list[click.Parameter] = [_argument(name, field) for name, field in places.items()]
    for name, field in fields.items():
        if name not in places:
            params.append(option(name, field, _flag(name, taken)))
    command = TaskCommand(
        f"{service} {task.name}",
        params=[*params, *options],
        help="\n\n".join(part for part in (task.summary, task.help) if part),
    )
    command.places = places
    return command


def _flag(name: str, taken: Iterable[str] = ()) -> str:
    word = name.replace("_", "-")
    return f"--argument-{word}" if name in (*taken, "help") else f"--{word}"


def _argument(name: str, field: Any) -> click.Argument:
    metavar = name.upper() + ("..." if repeats(field) else "")
    return click.Argument([PREFIX + name], nargs=-1 if repeats(field) else 1, metavar=metavar)


def _explained(name: str, field: Any) -> tuple[str, str]:
    more = "  One or more." if repeats(field) and field.min_length else ""
    more = "  Any number." if repeats(field) and not field.min_length else more
    return f"{name.upper()}  {kind(field)}", f"{field.title}.{more}"


def given_arguments(task: Task, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A value for each argument, from what click found.

    @raise BadArgument: one makes no sense.
    @raise ContradictoryArguments: they make none together.
    """
    values = {
        name: _value(task, name, field, parameters[PREFIX + name])
        for name, field in argument_fields(task).items()
    }
    if task.arguments is not None:
        try:
            task.arguments.validateInvariants(Settings(values))
        except Invalid as error:
            reason = str(error).rstrip(".")
            raise ContradictoryArguments(task=task.name, reason=reason) from error
    return values


def _value(task: Task, name: str, field: Any, given: Any) -> Any:
    if given is None or (given == () and not is_positional(field)):
        return field.default
    texts = given if isinstance(given, tuple) else [show(given)]
    try:
        return parse("", name, field, texts)
    except BadSetting as error:
        fields = error.fields
        raise BadArgument(
            task=task.name, argument=name, value=fields["value"], reason=fields["reason"]
        ) from error


def read_arguments(service: str, task: Task, words: list[str]) -> dict[str, Any]:
    """The arguments that were typed behind a task's name.

    @raise click.UsageError: they are too many, or too few, or not known.
    """
    command = task_command(service, task)
    return given_arguments(task, command.make_context(command.name, words).params)


def words_of(task: Task, parameters: Mapping[str, Any]) -> list[str]:
    """What was typed of a task's own arguments, as L{read_arguments} takes it elsewhere."""
    options: list[str] = []
    places: list[str] = []
    for name, field in argument_fields(task).items():
        given = parameters[PREFIX + name]
        texts = given if isinstance(given, tuple) else [given]
        if is_positional(field):
            places += texts
        elif isinstance(given, bool):
            word = name.replace("_", "-")
            options.append(_flag(name) if given else f"--no-{word}")
        else:
            options += [f"{_flag(name)}={text}" for text in texts if text is not None]
    return [*options, "--", *places] if places else options


def usage(task: Task, taken: Iterable[str] = ()) -> str:
    """How a task is called, in a line.

    @param taken: see L{task_command}.
    """
    words = [task.name]
    for name, field in argument_fields(task).items():
        metavar = name.upper() if is_positional(field) else f"[{_flag(name, taken)}]"
        words.append(metavar + ("..." if repeats(field) else ""))
    return " ".join(words)
