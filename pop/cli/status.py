"""C{pop status}."""

from collections.abc import Mapping
from typing import Any

import click

from pop.cli.options import show
from pop.cli.output import local_time, table
from pop.cli.session import Session, pass_session
from pop.cluster import Cluster
from pop.overview import InstanceView, ServiceView, services
from pop.standing import standing


@click.command("status")
@click.argument("service", required=False)
@pass_session
def status_(session: Session, service: str | None) -> None:
    """Show how all services fare, or one with its settings and every machine."""

    async def look(cluster: Cluster) -> list[ServiceView]:
        return await services(cluster, [service] if service else await cluster.names())

    found = session.run(look)
    if session.json:
        plain = {view.name: _plain(view) for view in found}
        session.print_json(plain[service] if service else plain)
    elif service:
        _show_one(found[0])
    elif found:
        table(
            ("SERVICE", "TYPE", "TARGET", "MACHINE", "PHASE", "PID", "SINCE", "WHY"), _rows(found)
        )
    else:
        click.echo('There are no services yet. Add one with "pop add".')


def _rows(found: list[ServiceView]) -> list[tuple[str, ...]]:
    """A line for each instance; one for a service that has none."""
    rows: list[tuple[str, ...]] = []
    for view in found:
        head = (view.name, view.service.type if view.service else "?", _target(view))
        for instance in view.instances:
            rows.append((*head, instance.machine, *_fate(view, instance)))
            head = ("", "", "")
        if not view.instances:
            rows.append((*head, "", "", "", "", view.problem or "not deployed"))
    return rows


def _fate(view: ServiceView, instance: InstanceView) -> tuple[str, str, str, str]:
    status = instance.status
    since = local_time(status.since) if status else ""
    why = (status.problem or status.why) if status else ""
    if instance.machine in view.waiting:
        stop = standing(view).stop
        why = f"the roll stopped on {stop.machine}" if stop else "waits for its turn to restart"
    return instance.phase, show(instance.pid or ""), since, why


def _target(view: ServiceView) -> str:
    if view.service is None:
        return "?"
    return "run" if view.service.target.run else "hold"


def _show_one(view: ServiceView) -> None:
    if view.service is None:
        click.echo(view.problem)
    else:
        rows = [("service", view.name), ("type", view.service.type), ("target", _target(view))]
        rows += [(f"  {key}", show(value)) for key, value in view.service.settings.items()]
        rows.insert(3, ("settings", "" if view.service.settings else "all by default"))
        if roll := str(standing(view)):
            rows.insert(3, ("roll", roll))
        table(("", ""), rows)
    if not view.instances:
        click.echo(f'\nIt is not deployed. Do that with "pop deploy {view.name}".')
        return
    click.echo()
    headings = ("MACHINE", "PHASE", "PID", "SINCE", "RESTARTS", "STATE", "WHY")
    table(headings, [row for instance in view.instances for row in _instance_rows(view, instance)])
    _show_causes(view)


def _show_causes(view: ServiceView) -> None:
    """What became of each instance lately; C{pop why} knows more on the machine itself."""
    lately = {each.machine: each.status.causes for each in view.instances if each.status}
    rows = [
        (machine, local_time(when), what)
        for machine, causes in lately.items()
        for when, _, what in (cause.partition(" ") for cause in causes)
    ]
    if rows:
        click.echo()
        table(("MACHINE", "WHEN", "WHAT HAPPENED"), rows)


def _instance_rows(view: ServiceView, instance: InstanceView) -> list[tuple[str, ...]]:
    """One on the machine; where there are several processes, one more on each."""
    phase, pid, since, why = _fate(view, instance)
    restarts = str(instance.status.restarts) if instance.status else ""
    state = show(instance.state) if instance.state is not None else ""
    why = _with_words(why, instance.status.says if instance.status else "")
    first = (instance.machine, phase, pid, since, restarts, state, why)
    processes = instance.status.processes if instance.status else ()
    return [first, *(_process_row(process) for process in processes)]


def _process_row(process: Mapping[str, Any]) -> tuple[str, ...]:
    def said(key: str) -> str:
        return show(process.get(key) or "")

    since, restarts = local_time(said("since")), show(process.get("restarts", ""))
    why = _with_words(said("why"), said("says"))
    return f"  {said('name')}", said("phase"), said("pid"), since, restarts, "", why


def _with_words(why: str, says: str) -> str:
    """A reason, and what the program itself says."""
    return "; ".join(part for part in (why, f'it says "{says}"' if says else "") if part)


def _plain(view: ServiceView) -> dict[str, Any]:
    service = view.service
    return {
        "type": service and service.type,
        "settings": dict(service.settings) if service else None,
        "target": {"run": service.target.run, "generation": service.target.generation}
        if service
        else None,
        "problem": view.problem or None,
        "roll": _plain_roll(view),
        "machines": {
            instance.machine: {
                "deployed": instance.wanted,
                "agent": instance.alive,
                "phase": instance.phase,
                "pid": instance.pid,
                "since": instance.status and instance.status.since,
                "why": instance.status and instance.status.why,
                "says": (instance.status and instance.status.says) or None,
                "restarts": instance.status and instance.status.restarts,
                "causes": list(instance.status.causes) if instance.status else [],
                "problem": (instance.status and instance.status.problem) or None,
                "state": instance.state,
                "processes": list(instance.status.processes) if instance.status else [],
            }
            for instance in view.instances
        },
    }


def _plain_roll(view: ServiceView) -> dict[str, Any] | None:
    if view.progress is None:
        return None
    now = standing(view)
    return {
        "going": list(now.going),
        "waiting": list(now.waiting),
        "stop": vars(now.stop) if now.stop else None,
    }
