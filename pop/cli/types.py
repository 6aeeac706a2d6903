"""C{pop types}."""

from typing import Any

import click

from pop.cli.options import show
from pop.cli.output import table
from pop.cli.session import Session, pass_session
from pop.settings import fields, kind
from pop.tasks import tasks_of


@click.command("types")
@click.argument("type", required=False)
@pass_session
def types_(session: Session, type: str | None) -> None:
    """List the service types that are installed here, or one with all its settings and tasks."""
    catalogue = session.catalogue
    chosen = [catalogue.type(type)] if type else list(catalogue.types.values())
    if session.json:
        session.print_json({kind.name: _plain(kind) for kind in chosen})
        return
    if not type:
        rows = [(k.name, k.summary, _own(k)) for k in chosen]
        table(("TYPE", "RUNS", "ITS SETTINGS"), rows)
        click.echo('\n"pop types TYPE" shows all settings of one, "pop add TYPE --help" too.')
        return
    click.echo(f"{chosen[0].name}: {chosen[0].summary}\n")
    table(("SETTING", "TAKES", "DEFAULT", "MEANS"), map(_row, fields(chosen[0].settings).items()))
    if tasks := tasks_of(chosen[0]):
        click.echo()
        table(("TASK", "DOES"), [(task.name, task.summary) for task in tasks.values()])


def _own(service_type: Any) -> str:
    """The settings that are not common to all types."""
    schema = service_type.settings
    return ", ".join(name for name, field in fields(schema).items() if field.interface is schema)


def _row(item: tuple[str, Any]) -> tuple[str, str, str, str]:
    name, field = item
    return name, kind(field), _default(field), field.title


def _default(field: Any) -> str:
    if field.default in (None, {}, ""):
        return "(required)" if field.required else ""
    return show(field.default)


def _plain(service_type: Any) -> dict[str, Any]:
    return {
        "summary": service_type.summary,
        "tasks": {task.name: task.summary for task in tasks_of(service_type).values()},
        "settings": {
            name: {
                "takes": kind(field),
                "required": bool(field.required and field.default is None),
                "default": field.default,
                "means": field.title,
            }
            for name, field in fields(service_type.settings).items()
        },
    }
