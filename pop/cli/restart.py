"""C{pop restart}."""

import sys
from dataclasses import replace
from functools import partial

import click

from pop.cli.session import FOREVER, LONG, Session, pass_session
from pop.cluster import Cluster
from pop.model import Service
from pop.standing import until_rolled


@click.command("restart")
@click.argument("service")
@click.option(
    "--rolling",
    is_flag=True,
    help="One batch of machines after the other: the next when the service is ready again on all"
    " of them, none after the first failure. This waits for the last.",
)
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    metavar="N",
    help="Machines that may be out of service at a time, with --rolling.  [default: roll_batch of"
    " the service's settings, or 1]",
)
@click.option("--no-wait", is_flag=True, help="Do not wait for the last.")
@pass_session
def restart_(
    session: Session, service: str, rolling: bool, batch: int | None, no_wait: bool
) -> None:
    """Restart a service on all its machines; one that was stopped is started."""
    if not rolling and (batch or no_wait):
        raise click.UsageError("--batch and --no-wait go with --rolling.")
    waits = rolling and not no_wait
    restart = partial(_restart, session, service, rolling, batch, waits)
    if not session.run(restart, patience=FOREVER if waits else None):
        sys.exit(1)


async def _restart(
    session: Session, service: str, rolling: bool, batch: int | None, waits: bool, cluster: Cluster
) -> bool:
    """Whether it is done as far as we wait."""

    def again(found: Service) -> Service:
        size = (batch or _usual_batch(found)) if rolling else 0
        target = replace(found.target, run=True, generation=found.target.generation + 1, batch=size)
        return replace(found, target=target)

    found = await cluster.change(service, again)
    where = ", ".join(found.machines) or "no machine yet"
    facts = {"service": service, "generation": found.target.generation}
    if not rolling:
        session.say(f"{service} is restarted, on {where}.", **facts)
        return True
    pace = f"on {where}, {found.target.batch} at a time."
    if waits:
        tell = _ignore if session.json else click.echo
        tell(f"{service} is restarted {pace}")
        if not await until_rolled(cluster, found, session.patience(LONG), tell):
            return False
    said = f"{service} was restarted on {where}." if waits else f"{service} is restarted {pace}"
    session.say(said, **facts, batch=found.target.batch)
    return True


def _usual_batch(service: Service) -> int:
    batch = service.settings.get("roll_batch")
    return batch if isinstance(batch, int) and batch > 0 else 1


def _ignore(sentence: str) -> None:
    """Scripts read what came of it."""
