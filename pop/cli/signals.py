"""C{pop signal}: a signal to a service's processes, on whatever machines they run."""

import signal
import sys

import click

from pop.cli.fleet import Answers
from pop.cli.reach import Places, places
from pop.cli.session import LONG, Session, pass_session
from pop.cluster import Cluster
from pop.errors import NoSuchSignal
from pop.paths import check_name
from pop.slots import service_of, slot


@click.command("signal")
@click.argument("service")
@click.argument("signal_", metavar="SIGNAL")
@click.option(
    "--machine", "machines", multiple=True, metavar="ID", help="Only there; may be repeated."
)
@pass_session
def signal_(session: Session, service: str, signal_: str, machines: tuple[str, ...]) -> None:
    """Send SIGNAL (HUP, USR1, ...) to the main process of each instance of SERVICE, or of one of
    its processes: WEB/2."""
    name = signal_name(signal_)
    process = slot_name(service)
    service = check_name("service", service_of(service))

    async def send(cluster: Cluster) -> tuple[Places, Answers[int]]:
        where = await places(cluster, service, machines)
        async with session.agents(cluster) as agents:
            return where, await agents.ask(
                where.machines,
                lambda agent: agent.signal(service, name, process),
                session.patience(),
            )

    where, answers = session.run(send, patience=session.patience(LONG))
    session.complain(answers, where.names)
    count = sum(answers.given.values())
    if not answers.given:
        sys.exit(1)
    session.say(
        f"Sent {name} to {count} process{'' if count == 1 else 'es'} of {process or service}, on"
        f" {where.said(answers.given)}.",
        signal=name,
        sent=dict(answers.given),
    )
    sys.exit(1 if answers.missing else 0)


def slot_name(given: str) -> str:
    """Which process is meant: C{web/2}; of C{web} all are, which is the empty string."""
    service, slash, index = given.partition("/")
    if not slash:
        return ""
    if not (index.isascii() and index.isdecimal() and int(index)):
        raise click.BadParameter(f"{given!r} is no process; write it like {service}/2.")
    return slot(service, int(index))


def signal_name(given: str) -> str:
    """A signal's name without SIG, from a name or a number.

    @raise NoSuchSignal: there is none.
    """
    name = given.upper().removeprefix("SIG")
    try:
        number = int(given) if given.isdecimal() else getattr(signal, f"SIG{name}")
        return signal.Signals(number).name.removeprefix("SIG")
    except (AttributeError, ValueError):
        raise NoSuchSignal(signal=given) from None
