"""C{pop top}: what runs on all machines just now, and what it takes."""

import sys
from collections.abc import Sequence
from typing import Any

import click
from twisted.internet.defer import Deferred, TimeoutError

from pop.cli.board import HEADINGS, Board, Instance
from pop.cli.fleet import called
from pop.cli.output import table
from pop.cli.reach import Agents
from pop.cli.session import FOREVER, LONG, Session, pass_session
from pop.cluster import Cluster
from pop.errors import NoAnswer
from pop.overview import described, known_machines
from pop.trouble import said
from txzookeeper.errors import ZooKeeperException


@click.command("top")
@click.option(
    "-d",
    "--delay",
    type=click.FloatRange(min=0.1),
    metavar="SECONDS",
    default=2.0,
    help="Between two looks.  [default: 2]",
)
@pass_session
def top_(session: Session, delay: float) -> None:
    """Show what runs on all machines, with CPU, memory and uptime, until q or Ctrl-C; once, where
    no terminal is."""
    live = sys.stdout.isatty() and sys.stdin.isatty() and not session.json

    async def show(cluster: Cluster) -> Board | None:
        async with session.agents(cluster) as agents:
            rounds = Rounds(cluster, agents, session.patience(), session.configuration.servers)
            if not live:
                return await rounds.look()
            from rich.console import Console

            from pop.cli.screen import Screen

            screen = Screen(cluster.clock, Console(), sys.stdin.fileno(), rounds.look, delay)
            await screen.show()
            return None

    board = session.run(show, patience=FOREVER if live else session.patience(LONG))
    if board is not None:
        _print(session, board)


def _print(session: Session, board: Board) -> None:
    answers = board.answers
    if session.json:
        missing = {machine: str(error) for machine, error in answers.missing.items()}
        session.print_json({"machines": dict(answers.given), "missing": missing})
        return
    table(HEADINGS, board.rows())
    for note in board.notes():
        session.note(note)


class Rounds:
    """Asks all machines, again and again, whatever becomes of ZooKeeper meanwhile.

    @param patience: seconds that each machine has to answer.
    @param servers: where ZooKeeper is.
    """

    def __init__(self, cluster: Cluster, agents: Agents, patience: float, servers: str) -> None:
        self._cluster = cluster
        self._agents = agents
        self._patience = patience
        self._servers = servers
        self._machines: list[str] = []
        self._names: dict[str, str] = {}

    async def look(self) -> Board:
        """The board as it is now."""
        trouble = ""
        learning = Deferred.fromCoroutine(self._learn())
        try:
            await learning.addTimeout(self._patience, self._cluster.clock)
        except (ZooKeeperException, TimeoutError) as error:
            if not self._machines:
                raise
            trouble = str(said(error, self._servers) or NoAnswer(seconds=self._patience))
        answers = await self._agents.ask(self._machines, _instances, self._patience)
        return Board(answers, self._names, trouble)

    async def _learn(self) -> None:
        found = await known_machines(self._cluster)
        if found != self._machines:
            self._names = called(await described(self._cluster, found))
            self._machines = found


async def _instances(agent: Any) -> Sequence[Instance]:
    found: Sequence[Instance] = await agent.instances()
    return found
