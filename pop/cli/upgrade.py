"""C{pop upgrade}."""

import os
import signal

import click
from twisted.internet.task import deferLater

from pop.cli.lifecycle import LOOK_AGAIN
from pop.cli.session import LONG, Session, pass_session
from pop.cluster import Cluster
from pop.errors import AgentGone, NoAgent, NotRegistered, NotUpgraded, NotYetUpgraded
from pop.files import File
from pop.model import AgentInfo, Machine
from txzookeeper.errors import ConnectionLossException


@click.command("upgrade")
@pass_session
def upgrade_(session: Session) -> None:
    """Have this machine's agent become the version of pop that is installed now.

    Its services go on meanwhile, and its process keeps its pid. If that version cannot be run, the
    agent goes on as it is.
    """
    patience = session.patience(LONG)
    upgrade = _Upgrade(session, patience)
    before, after = session.run(upgrade.run, patience=patience + 10)
    session.say(
        f"Upgraded the agent (pid {upgrade.pid}) from pop {before} to pop {after}."
        " Its services went on.",
        pid=upgrade.pid,
        before=before,
        after=after,
    )


class _Upgrade:
    """One agent, before and after."""

    def __init__(self, session: Session, patience: float) -> None:
        self._state_dir = session.configuration.state_dir
        self._machine = session.configuration.machine
        self._patience = patience
        self._refusal = File(self._state_dir.refusal)
        pid = self._state_dir.holder()
        if pid is None:
            raise NoAgent(directory=self._state_dir.path)
        self.pid = pid

    async def run(self, cluster: Cluster) -> tuple[str, str]:
        """Ask for it and wait for it; gives both versions."""
        agent, before = await self._look(cluster)
        if agent.pid != self.pid:
            raise NotRegistered(pid=self.pid, machine=self._machine, log=self._state_dir.log)
        self._refusal.remove()
        os.kill(self.pid, signal.SIGUSR2)
        for _ in range(int(self._patience / LOOK_AGAIN)):
            await deferLater(cluster.clock, LOOK_AGAIN)
            self._check(before)
            now, after = await self._look(cluster)
            if now.pid == self.pid and now.began != agent.began:
                return before, after
        raise NotYetUpgraded(pid=self.pid, seconds=self._patience, log=self._state_dir.log)

    def _check(self, version: str) -> None:
        """Whether it has refused, or ended."""
        reason = self._refusal.read()
        if reason is not None:
            raise NotUpgraded(version=version, reason=reason.decode("utf-8", "replace").rstrip("."))
        if self._state_dir.holder() is None:
            raise AgentGone(pid=self.pid, log=self._state_dir.log)

    async def _look(self, cluster: Cluster) -> tuple[AgentInfo, str]:
        """Who serves this machine, and in which version of pop."""
        paths = (cluster.paths.agent(self._machine), cluster.paths.machine(self._machine))
        while True:
            try:
                agent, machine = [await cluster.node(path) for path in paths]
            except ConnectionLossException:  # an embedded server goes with its agent
                continue
            return (
                AgentInfo.from_json(paths[0], agent[0] if agent else b"{}"),
                Machine.from_json(paths[1], machine[0] if machine else b"{}").pop,
            )
