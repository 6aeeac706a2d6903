"""C{pop machines}."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from pop.cli.board import row
from pop.cli.figures import share, size, span
from pop.cli.fleet import Answers, called
from pop.cli.options import show
from pop.cli.output import table
from pop.cli.reach import identified
from pop.cli.session import LONG, Session, pass_session
from pop.cluster import Cluster
from pop.overview import MachineView, machines
from pop.together import together

HEADINGS = (
    *("MACHINE", "HOST", "AGENT", "PID", "SERVICES", "CPU", "MEMORY", "UP", "RESTARTS"),
    *("LABELS", "POP"),
)
Live = tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]
"""What an agent says of itself, and of its instances."""


@click.command("machines")
@click.argument("machines_", metavar="[ID]...", nargs=-1)
@pass_session
def machines_(session: Session, machines_: tuple[str, ...]) -> None:
    """List the machines, alive or not, or some of them: what their agents and instances are, and
    what these take just now."""

    async def look(cluster: Cluster) -> tuple[list[MachineView], Answers[Live]]:
        chosen = await together([identified(cluster, word) for word in machines_])
        found = [v for v in await machines(cluster) if not chosen or v.machine.id in chosen]
        there = [view.machine.id for view in found if view.agent]
        async with session.agents(cluster) as agents:
            return found, await agents.ask(there, _live, session.patience())

    found, answers = session.run(look, patience=session.patience(LONG))
    if session.json:
        session.print_json({v.machine.id: _plain(v, answers) for v in found})
        return
    if not found:
        click.echo('There are no machines yet. Make this one by "pop start".')
        return
    here = session.configuration.machine
    table(HEADINGS, [line for view in found for line in _rows(view, answers, here)])
    for sentence in answers.sentences(called([view.machine for view in found])):
        session.note(sentence)


async def _live(agent: Any) -> Live:
    info, instances = await together([agent.info(), agent.instances()])
    return info, instances


def _rows(view: MachineView, answers: Answers[Live], here: str) -> list[tuple[str, ...]]:
    """A machine with its agent, and below it the instances that there are."""
    machine = view.machine
    info, instances = answers.given.get(machine.id, ({}, ()))
    first = (
        machine.id + (" (this one)" if machine.id == here else ""),
        machine.host,
        "alive" if view.agent else "gone",
        str(view.agent.pid) if view.agent else "",
        ", ".join(view.services),
        share(info.get("cpu")),
        size(info.get("memory")),
        span(_since(info.get("since"))),
        "",
        show(dict(machine.labels)),
        machine.pop,
    )
    return [first, *(_instance(each) for each in instances)]


def _instance(instance: Mapping[str, Any]) -> tuple[str, ...]:
    slot, phase, pid, *figures, _ = row(instance)
    return (f"  {slot}", "", phase, pid, "", *figures, "", "")


def _since(iso: Any) -> float | None:
    """Seconds since a time, if it is one."""
    try:
        return (datetime.now(UTC) - datetime.fromisoformat(iso)).total_seconds()
    except (TypeError, ValueError):
        return None


def _plain(view: MachineView, answers: Answers[Live]) -> dict[str, Any]:
    agent, id = view.agent, view.machine.id
    info, instances = answers.given.get(id, (None, None))
    return {
        **view.machine.to_object(),
        "alive": agent is not None,
        "pid": agent and agent.pid,
        "services": list(view.services),
        "agent": info,
        "instances": instances,
        "problem": str(answers.missing[id]) if id in answers.missing else None,
    }
