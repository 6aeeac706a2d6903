"""C{pop why}: what became of a service lately, and why."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from pop.cli.output import local_time, table
from pop.cli.session import Session, pass_session
from pop.cluster import Cluster
from pop.errors import NoJournal, NoStory, PopError
from pop.journal import Entry, read
from pop.overview import ServiceView, services
from pop.paths import check_name
from pop.slots import service_of

AWAITED = {
    "starting": "if it is not ready then, it is stopped {}",
    "stopping": "it is killed {}",
    "backing off": "it is started again {}",
    "failed": "it is tried again {}",
}
"""What happens at the end of a phase, if nothing happens before."""
GONE = "stopped"


@click.command("why")
@click.argument("service")
@click.option(
    "-n",
    "--last",
    type=click.IntRange(min=1),
    metavar="N",
    default=10,
    help="How many changes.  [default: 10]",
)
@click.option("--machine", metavar="ID", help="Another one: the last few changes, from ZooKeeper.")
@pass_session
def why_(session: Session, service: str, last: int, machine: str | None) -> None:
    """Tell what became of SERVICE on this machine lately, who or what made it so, and what it is
    waiting for. The agent need not run."""
    check_name("service", service)
    here = session.configuration.machine
    path = session.configuration.state_dir.journal
    entries = _noted(session, path, service) if machine in (None, here) else []
    if entries:
        _tell(session, service, entries, last)
    else:
        _ask(session, service, machine or here, machine in (None, here))


def _noted(session: Session, path: Path, service: str) -> list[Entry]:
    try:
        return read(path, lambda slot: service_of(slot) == service, 1_000_000)
    except OSError as error:
        session.note(f"{path} cannot be read ({error.strerror}).")
        return []


def _tell(session: Session, service: str, entries: list[Entry], last: int) -> None:
    latest = {entry.slot: entry for entry in entries}
    told, running = entries[-last:], session.configuration.state_dir.holder()
    if session.json:
        session.print_json(
            {
                "service": service,
                "agent": running,
                "now": {slot: entry.to_object() for slot, entry in latest.items()},
                "changes": [entry.to_object() for entry in told],
            }
        )
        return
    several = len(latest) > 1
    table(
        ("WHEN", *(("PROCESS",) if several else ()), "PHASE", "WHY"),
        [_row(entry, several) for entry in told],
    )
    now = datetime.now(UTC)
    click.echo()
    for slot, entry in sorted(latest.items()):
        if entry.after != GONE or not several:
            click.echo(f"{slot} {_present(entry, now, bool(running))}")
    if not running:
        click.echo("No agent runs here just now.")


def _row(entry: Entry, several: bool) -> tuple[str, ...]:
    slot = (entry.slot,) if several else ()
    same = entry.before == entry.after
    phase = f"{entry.after} again" if same else f"{entry.before} -> {entry.after}"
    return (local_time(entry.when), *slot, phase, _why(entry))


def _why(entry: Entry) -> str:
    """The reason, and what else is known."""
    facts = [entry.exit] if entry.exit and entry.exit not in entry.why else []
    facts += [f"pid {entry.pid}"] if entry.pid else []
    failures = f"{entry.failures} failures in a row"
    facts += [failures] if entry.failures > 1 and failures not in entry.why else []
    return f"{entry.why} ({', '.join(facts)})" if facts else entry.why


def _present(entry: Entry, now: datetime, watched: bool) -> str:
    """How it is, and what is awaited."""
    pid = f", pid {entry.pid}" if entry.pid else ""
    restarts = f", restarts: {entry.restarts}" if entry.restarts else ""
    verb = "is" if watched else "was"
    said = f"{verb} {entry.after} since {local_time(entry.when)}{pid}{restarts}"
    awaited = AWAITED.get(entry.after)
    if not (watched and entry.until and awaited):
        return f"{said}."
    left = (datetime.fromisoformat(entry.until) - now).total_seconds()
    return f"{said}; {awaited.format(f'in {left:.0f} s' if left >= 1 else 'now')}."


def _ask(session: Session, service: str, machine: str, here: bool) -> None:
    """What ZooKeeper knows of it."""

    async def look(cluster: Cluster) -> ServiceView:
        return (await services(cluster, [service]))[0]

    try:
        view = session.run(look)
    except PopError as error:
        if here and type(error).__name__ in ("Unreachable", "NoAnswer", "ConnectionBroke"):
            raise NoJournal(service=service, reason=str(error)) from error
        raise
    found = next((each for each in view.instances if each.machine == machine), None)
    if found is None or found.status is None:
        where = ", ".join(each.machine for each in view.instances) or "no machine"
        raise NoStory(service=service, machine=machine, machines=where)
    causes = list(found.status.causes) or [found.status.why]
    if session.json:
        session.print_json({"service": service, "machine": machine, "causes": causes})
        return
    for cause in causes:
        when, _, rest = cause.partition(" ")
        click.echo(f"{local_time(when)} {rest}")
    facts: Any = found.status
    click.echo(f"\n{service} is {facts.phase} on {machine} since {local_time(facts.since)}.")
