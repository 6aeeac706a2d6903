"""C{pop run}: what can be done with a service, done on its machines."""

import sys
from functools import partial
from typing import Any

import click

from pop.cli.arguments import given_arguments, task_command, usage, words_of
from pop.cli.output import table
from pop.cli.session import FOREVER, Session, pass_session
from pop.cli.undertaking import Undertaking
from pop.cluster import Cluster
from pop.model import Service
from pop.paths import check_name
from pop.tasks import Task, argument_fields, find_task, is_positional, tasks_of

OWN = ("machines", "once", "no_wait", "rolling", "batch")
"""The command's own options by the names of their values; a task's arguments are kept apart."""
TAKEN = ("machine", "once", "no_wait", "rolling", "batch")


def own_options() -> list[click.Option]:
    """What is said of a run, before SERVICE or behind TASK."""
    machine = ["--machine", "machines"]
    return [
        click.Option(
            machine, multiple=True, metavar="ID", help="Only there; may be repeated.", default=()
        ),
        click.Option(["--once"], is_flag=True, help="On one machine only, this one if it can be."),
        click.Option(
            ["--no-wait"], is_flag=True, help="Fail if another task of the service is run just now."
        ),
        click.Option(
            ["--rolling"],
            is_flag=True,
            help="One batch of machines after the other: the next when the service is ready again,"
            " none after the first failure.",
        ),
        click.Option(
            ["--batch"],
            type=click.IntRange(min=1),
            metavar="N",
            help="Machines at a time, with --rolling.  [default: 1]",
        ),
    ]


class RunCommand(click.Command):
    """Takes everything behind SERVICE as it comes: the task says what it makes of it."""

    allow_interspersed_args = False

    def __init__(self, *words: Any, **more: Any) -> None:
        super().__init__(*words, **more)
        self.params += own_options()


@click.command("run", cls=RunCommand)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="SERVICE [TASK [ARGUMENT...]]")
@pass_session
@click.pass_context
def run_(ctx: click.Context, session: Session, /, words: tuple[str, ...], **given: Any) -> None:
    """Run a task of a service, on its machines; or list the tasks that there are.

    "pop run SERVICE TASK --help" explains one. What it prints appears as it comes, and Ctrl-C ends
    it wherever it runs. The exit status is the task's.
    """
    if not words:
        raise click.UsageError("Name the service first: pop run SERVICE TASK", ctx)
    service = check_name("service", words[0])
    sys.exit(session.run(partial(_run, ctx, session, service, words[1:], given), patience=FOREVER))


async def _run(
    ctx: click.Context,
    session: Session,
    service: str,
    words: tuple[str, ...],
    given: dict[str, Any],
    cluster: Cluster,
) -> int:
    found = (await cluster.read(service)).service
    kind = session.catalogue.type(found.type)
    if not words or words[0] in ctx.help_option_names:
        _list(session, found, tasks_of(kind))
        return 0
    task = find_task(kind, words[0])
    command = task_command(service, task, own_options(), TAKEN)
    try:
        name = f"run {service} {task.name}"
        context = command.make_context(name, list(words[1:]), parent=ctx.parent)
    except click.exceptions.Exit:  # its help was asked for
        return 0
    parameters = context.params
    given_arguments(task, parameters)
    wishes = {name: parameters[name] or given[name] for name in OWN}
    if wishes["machines"] and wishes["once"]:
        raise click.UsageError("Give either --machine or --once.", context)
    if wishes["batch"] and not wishes["rolling"]:
        raise click.UsageError("--batch goes with --rolling.", context)
    if wishes["rolling"] and wishes["once"]:
        raise click.UsageError("Give either --rolling or --once.", context)
    batch = (wishes["batch"] or 1) if wishes["rolling"] else None
    undertaking = Undertaking(session, cluster, found, task, words_of(task, parameters), batch)
    return await undertaking.run(wishes["machines"], wishes["once"], not wishes["no_wait"])


def _list(session: Session, service: Service, tasks: dict[str, Task]) -> None:
    if session.json:
        session.print_json({name: _plain(task) for name, task in tasks.items()})
        return
    if not tasks:
        click.echo(f"{service.name} has no tasks: its type, {service.type}, offers none.")
        return
    rows = [(usage(task, TAKEN), task.summary, _where(task)) for task in tasks.values()]
    table(("TASK", "DOES", "WHERE"), rows)
    click.echo(f'\n"pop run {service.name} TASK --help" explains one.')


def _where(task: Task) -> str:
    return "on one machine" if task.where == "once" else "on all machines"


def _plain(task: Task) -> dict[str, Any]:
    fields = argument_fields(task)
    return {
        "summary": task.summary,
        "where": task.where,
        "changes": task.changes,
        "arguments": {name: field.title for name, field in fields.items() if is_positional(field)},
        "options": {name: f.title for name, f in fields.items() if not is_positional(f)},
    }
