"""C{pop runs}: which tasks of a service were run lately."""

from datetime import datetime

import click

from pop.cli.figures import span
from pop.cli.output import local_time, table
from pop.cli.session import Session, pass_session
from pop.paths import check_name
from pop.runrecord import RunRecord
from pop.runs import Runs


@click.command("runs")
@click.argument("service")
@click.option(
    "-n",
    "--last",
    type=click.IntRange(min=1),
    metavar="N",
    default=10,
    help="How many.  [default: 10; 50 are kept]",
)
@pass_session
def runs_(session: Session, service: str, last: int) -> None:
    """List the tasks of SERVICE that were run lately: when, by whom, where, and how they ended."""
    check_name("service", service)
    found = session.run(lambda cluster: Runs(cluster, service).read())[-last:]
    if session.json:
        session.print_json([record.to_object() for record in found])
        return
    if not found:
        click.echo(f"No task of {service} was run yet.")
        return
    table(("WHEN", "TASK", "WHO", "TOOK", "WHERE", "OUTCOME"), map(_row, found))
    for record in found:
        for machine, problem in record.problems.items():
            click.echo(f"\n{local_time(record.began)} {record.task} on {machine}: {problem}")


def _row(record: RunRecord) -> tuple[str, ...]:
    when = local_time(record.began)
    where = ", ".join(record.machines)
    return (when, record.task, record.who, _took(record), where, record.outcome)


def _took(record: RunRecord) -> str:
    try:
        ended = datetime.fromisoformat(record.ended)
        return span((ended - datetime.fromisoformat(record.began)).total_seconds())
    except (ValueError, TypeError):
        return ""
