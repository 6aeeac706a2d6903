"""C{pop why}: what became of a service lately, and why."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from pop.cli.output import clean, local_time, table
from pop.cli.reach import identified
from pop.cli.session import LONG, Session, pass_session
from pop.cluster import Cluster
from pop.errors import NoJournal, NoStory, PopError
from pop.excerpt import Excerpt, of_failure
from pop.frozen import frozen
from pop.journal import Entry, read
from pop.overview import ServiceView, services
from pop.paths import check_name
from pop.slots import service_of
from pop.together import together

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
@click.option("--machine", metavar="ID", help="Another one, whose agent is asked.")
@pass_session
def why_(session: Session, service: str, last: int, machine: str | None) -> None:
    """Tell what became of SERVICE on this machine lately, who or what made it so, what it wrote
    last if it failed, and what it is waiting for. Here, the agent need not run."""
    check_name("service", service)
    here = session.configuration.machine
    state_dir = session.configuration.state_dir
    entries = _noted(session, state_dir.journal, service) if machine in (None, here) else []
    if entries:
        excerpt = of_failure(state_dir.logs, entries, last)
        _tell(session, service, entries[-last:], _latest(entries), state_dir.holder(), excerpt)
        return
    found = _ask(session, service, machine or here, machine in (None, here))
    if found.entries:
        _tell(session, service, found.entries[-last:], _latest(found.entries), found.agent)
    else:
        _tell_status(session, service, found)


def _noted(session: Session, path: Path, service: str) -> list[Entry]:
    try:
        return read(path, lambda slot: service_of(slot) == service, 1_000_000)
    except OSError as error:
        session.note(f"{path} cannot be read ({error.strerror}).")
        return []


def _latest(entries: list[Entry]) -> dict[str, Entry]:
    return {entry.slot: entry for entry in entries}


def _tell(
    session: Session,
    service: str,
    told: list[Entry],
    latest: dict[str, Entry],
    running: int | None,
    excerpt: Excerpt | None = None,
) -> None:
    """The journal's entries.

    @param running: the pid of the agent that goes on, if any does.
    @param excerpt: of the log of what failed last.
    """
    if session.json:
        session.print_json(
            {
                "service": service,
                "agent": running,
                "now": {slot: entry.to_object() for slot, entry in latest.items()},
                "changes": [entry.to_object() for entry in told],
                "wrote": excerpt and {"when": excerpt.end.when, "lines": list(excerpt.lines)},
            }
        )
        return
    several = len(latest) > 1
    table(
        ("WHEN", *(("PROCESS",) if several else ()), "PHASE", "WHY"),
        [_row(entry, several) for entry in told],
    )
    if excerpt:
        _quote(excerpt)
    now = datetime.now(UTC)
    click.echo()
    for slot, entry in sorted(latest.items()):
        if entry.after != GONE or not several:
            click.echo(f"{slot} {_present(entry, now, bool(running))}")
    if not running:
        click.echo("No agent runs here just now.")


def _quote(excerpt: Excerpt) -> None:
    end = excerpt.end
    click.echo(f"\nBefore it {end.exit} ({local_time(end.when)}), {end.slot} wrote:")
    for line in excerpt.lines:
        click.echo(f"  {clean(line.expandtabs())}")


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


@frozen
class Told:
    """What others know of an instance.

    @ivar agent: the pid of who told the entries.
    """

    view: ServiceView
    machine: str
    entries: list[Entry]
    agent: int | None


def _ask(session: Session, service: str, machine: str, here: bool) -> Told:
    """What ZooKeeper knows of it, and the machine's agent."""

    async def look(cluster: Cluster) -> Told:
        [view] = await services(cluster, [service])
        id = machine if here else await identified(cluster, machine)
        async with session.agents(cluster) as agents:
            answers = await agents.ask([id], partial(_journal, service), session.patience())
        for error in () if here else answers.missing.values():
            session.note(f"{error} What follows is from ZooKeeper.")
        return Told(view, id, *answers.given.get(id, ([], None)))

    try:
        return session.run(look, patience=session.patience(LONG))
    except PopError as error:
        if here and type(error).__name__ in ("Unreachable", "NoAnswer", "ConnectionBroke"):
            raise NoJournal(service=service, reason=str(error)) from error
        raise


async def _journal(service: str, agent: Any) -> tuple[list[Entry], int | None]:
    said, info = await together([agent.why(service), agent.info()])
    entries = [Entry.from_object(each) for each in said]
    return [entry for entry in entries if entry is not None], info.get("pid")


def _tell_status(session: Session, service: str, told: Told) -> None:
    """The last few changes, which ZooKeeper has."""
    view, machine = told.view, told.machine
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
