"""C{pop logs}: what a service's processes have written, on all its machines."""

import sys
from contextlib import suppress
from functools import partial
from math import inf
from typing import Any

import click
from twisted.internet.interfaces import IReactorTime

from pop.cli.chorus import Chorus, Records
from pop.cli.fleet import ask
from pop.cli.followed import Followers, Source
from pop.cli.here import Here
from pop.cli.reach import Agents, Places, placed, places
from pop.cli.session import FOREVER, Session, pass_session
from pop.cli.sink import Sink
from pop.cluster import Cluster
from pop.errors import NoSuchService, NotDeployed, PopError
from pop.paths import check_name
from pop.trouble import said
from txzookeeper.errors import ConnectionLossException

SOON = 3.0
"""Seconds that ZooKeeper has to say where else a service is, where there are logs of it here."""


@click.command("logs")
@click.argument("service")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written, until Ctrl-C.")
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(min=0),
    metavar="N",
    help="How many of the last lines of each process.  [default: 100]",
)
@click.option("--all", "everything", is_flag=True, help="All lines there are.")
@click.option(
    "--machine", "machines", multiple=True, metavar="ID", help="Only there; may be repeated."
)
@pass_session
def logs_(
    session: Session,
    service: str,
    follow: bool,
    lines: int | None,
    everything: bool,
    machines: tuple[str, ...],
) -> None:
    """Print what SERVICE wrote, on whatever machines it is, rotated logs included."""
    if everything and lines is not None:
        raise click.UsageError("Give either --lines or --all.")
    last = -1 if everything else 100 if lines is None else lines
    reading = Reading(session, check_name("service", service), last, follow)
    complete = session.go(partial(reading.begin, chosen=machines))
    sys.exit(0 if complete else 1)


class Reading:
    """One call of the command.

    @param lines: how many of the last ones of each process; negative for all.
    """

    def __init__(self, session: Session, service: str, lines: int, follow: bool) -> None:
        self._session = session
        self._service = service
        self._lines = lines
        self._wish = (service, lines, follow)
        self._follow = follow
        self._id = session.configuration.machine
        self._where: Places | None = None

    async def begin(self, reactor: Any, chosen: tuple[str, ...]) -> bool:
        """Read all; whether nothing is missing.

        This machine is read without asking anybody, if it is the only one that is wanted or known.
        """
        self._sink = Sink(reactor, sys.stdout.fileno())
        self._here = Here(self._session.configuration.state_dir.logs, reactor)
        slots = self._here.slots(self._service)
        if set(chosen) == {self._id}:
            return await self._alone()
        body = partial(self._everywhere, chosen=chosen)
        soon = min(SOON, self._session.patience()) if slots else None
        try:
            return await self._session.work(reactor, body, FOREVER, soon)
        except Exception as error:
            if self._where or chosen or not slots:
                raise
            self._only_here(error)
        return await self._alone()

    def _only_here(self, error: Exception) -> None:
        """Nobody knows where else it is: say why, unless it is nowhere any more."""
        reason = said(error, self._session.configuration.servers)
        if reason is None:
            raise error
        if not isinstance(reason, NotDeployed | NoSuchService):
            self._session.note(f"Only this machine's logs: {reason}")

    def _chorus(self, *, machines: bool, slots: bool) -> Chorus:
        if self._session.json:
            return Records(self._sink.write)
        return Chorus(self._sink.write, machines=machines, slots=slots)

    def _name(self, where: Places, machine: str) -> str:
        """What a machine is called; scripts are told its id."""
        return machine if self._session.json else where.said([machine])

    async def _alone(self) -> bool:
        slots = self._here.slots(self._service)
        chorus = self._chorus(machines=False, slots=len(slots) > 1)
        await self._here.logs(*self._wish, chorus.voice(self._id))
        await chorus.end()
        return True

    async def _everywhere(self, cluster: Cluster, chosen: tuple[str, ...]) -> bool:
        where = self._where = await places(cluster, self._service, chosen)
        chorus = self._chorus(machines=len(where.machines) > 1, slots=where.several())
        async with self._session.agents(cluster) as agents:
            source = partial(self._source, agents)
            if not self._follow:
                return await self._read(cluster.clock, source, where, chorus)
            followers = Followers(
                *(chorus, source, cluster.clock, self._session.note, self._service, self._lines)
            )
            for machine in where.machines:
                followers.add(machine, self._name(where, machine))
            if not chosen:
                followers.watch(self._service, self._newcomers(cluster, followers))
            await followers.wait()
        return False

    async def _read(
        self, clock: IReactorTime, source: Source, where: Places, chorus: Chorus
    ) -> bool:
        """One machine after the other, so that what belongs together stays together."""
        found = await ask(where.machines, source, clock, self._session.patience())
        self._session.complain(found, where.names)

        async def read(machine: str) -> None:
            voice = chorus.voice(self._name(where, machine))
            await found.given[machine].logs(*self._wish, voice)

        told = await ask(found.given, read, clock, inf, at_once=1)
        await chorus.end()
        self._session.complain(told, where.names)
        return not (found.missing or told.missing)

    async def _newcomers(self, cluster: Cluster, followers: Followers) -> None:
        """Follow the machines that the service is deployed on from now on, too."""
        while True:
            with suppress(ConnectionLossException):
                changed = await placed(cluster, self._service)
                with suppress(PopError):  # it may be gone, and come again
                    where = await places(cluster, self._service)
                    for machine in where.machines:
                        followers.add(machine, self._name(where, machine))
                await changed

    async def _source(self, agents: Agents, machine: str) -> Any:
        """Who tells what was written on a machine."""
        here = machine == self._id and self._here.slots(self._service)
        return self._here if here else await agents.of(machine)
