"""C{pop deploy} and C{pop undeploy}."""

import socket
import sys

import click

from pop.cli.session import LONG, Session, pass_session
from pop.cluster import Cluster
from pop.errors import NoSuchMachine
from pop.model import Service
from pop.overview import machine_on
from pop.paths import check_name
from pop.together import together
from pop.waiting import until_gone, until_ready

machine_option = click.option(
    "--machine", "machines", multiple=True, metavar="ID", help="Which one; may be repeated."
)


@click.command("deploy")
@click.argument("service")
@machine_option
@click.option("--wait", is_flag=True, help="Until it is ready there; status 1 if it is not.")
@click.option("--force", is_flag=True, help="Machines that nobody has heard of are right.")
@pass_session
def deploy_(
    session: Session, service: str, machines: tuple[str, ...], wait: bool, force: bool
) -> None:
    """Have a service run on this machine, or on those that are named. It may be repeated."""
    chosen = _machines(session, machines)

    async def deploy(cluster: Cluster) -> Service:
        await cluster.read(service)
        if machines and not force:
            await _must_know(cluster, chosen)
        found = await cluster.deploy(service, chosen)
        missing = [m for m in chosen if not await cluster.client.exists(cluster.paths.agent(m))]
        if missing and (sys.stderr.isatty() or not wait):
            hint = "" if machines else await _here(cluster, chosen[0])
            session.note(f"No agent runs on {', '.join(missing)} just now.{hint}")
        patience = session.patience(LONG)
        await together(until_ready(cluster, service, m, patience) for m in chosen if wait)
        return found

    # The waiting has a limit of its own, whose message says how far it came.
    found = session.run(deploy, patience=session.patience(LONG) + 10 if wait else None)
    ready = " It is ready." if wait else ""
    session.say(
        f"Deployed {service} on {', '.join(chosen)}.{ready}",
        service=service,
        machines=list(found.machines),
    )


@click.command("undeploy")
@click.argument("service")
@machine_option
@click.option("--wait", is_flag=True, help="Until it has stopped there.")
@pass_session
def undeploy_(session: Session, service: str, machines: tuple[str, ...], wait: bool) -> None:
    """Have a service run on this machine, or on those that are named, no longer."""
    chosen = _machines(session, machines)

    async def undeploy(cluster: Cluster) -> tuple[set[str], Service]:
        before = (await cluster.read(service)).service
        after = await cluster.undeploy(service, chosen)
        if wait:
            for machine in chosen:
                await until_gone(cluster, service, machine, session.patience(LONG))
        return set(before.machines) & set(chosen), after

    limit = session.patience(LONG) + 10 if wait else None
    removed, after = session.run(undeploy, patience=limit)
    said = "Undeployed {} from {}." if removed else "{} was not deployed on {}."
    session.say(
        said.format(service, ", ".join(chosen)), service=service, machines=list(after.machines)
    )


def _machines(session: Session, machines: tuple[str, ...]) -> list[str]:
    chosen = machines or (session.configuration.machine,)
    return [check_name("machine", machine) for machine in dict.fromkeys(chosen)]


async def _must_know(cluster: Cluster, machines: list[str]) -> None:
    for machine in machines:
        if not await cluster.client.exists(cluster.paths.machine(machine)):
            other = await machine_on(cluster, machine)
            hint = f" (the machine on host {machine} is {other})" if other else ""
            raise NoSuchMachine(machine=machine, hint=hint)


async def _here(cluster: Cluster, machine: str) -> str:
    """How to have an agent here: root's may go by an id that others cannot read."""
    other = await machine_on(cluster, socket.gethostname(), but=machine)
    start = ' Start it with "pop start"'
    return f"{start}, or deploy to the machine {other} on this host." if other else f"{start}."
