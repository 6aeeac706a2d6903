"""The office of an agent: what answers administrators, made when the first one comes.

Most agents are never asked anything, and do without all of this.
"""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, succeed

from pop.agent import Agent
from pop.catalogue import Catalogue
from pop.model import AgentInfo
from pop.process import Spawner
from pop.statedir import StateDirectory
from pop.stirring import by_inotify

if TYPE_CHECKING:
    from pop.administration import Administration
    from pop.taskruns import TaskRuns


class Office:
    """Makes what answers, once.

    @param in_thread: does what may block.
    """

    def __init__(
        self,
        reactor: Any,
        agent: Agent,
        about: AgentInfo,
        state_dir: StateDirectory,
        spawner: Spawner,
        catalogue: Catalogue,
        in_thread: Callable[[Callable[[], Any]], Deferred[Any]],
    ) -> None:
        self._reactor = reactor
        self._agent = agent
        self._about = about
        self._state_dir = state_dir
        self._spawner = spawner
        self._catalogue = catalogue
        self._in_thread = in_thread

    @cached_property
    def administration(self) -> "Administration":
        """What may be asked of the agent."""
        from pop.administration import Administration

        return Administration(
            self._agent,
            self._about,
            self._state_dir.path,
            self._state_dir.journal,
            self._reactor,
            self._in_thread,
            self._runs.run,
            by_inotify(self._reactor),
        )

    @cached_property
    def _runs(self) -> "TaskRuns":
        from pop.taskprocess import TaskProcesses
        from pop.taskruns import TaskRuns

        processes = TaskProcesses(self._reactor, self._spawner.errand_between)
        return TaskRuns(
            self._agent.machine,
            self._agent.wish,
            self._catalogue,
            processes.run,
            str(self._state_dir.path),
        )

    def close(self) -> Deferred[Any]:
        """End what was begun for administrators; fires when nothing of it is left."""
        return self._runs.stop() if "_runs" in vars(self) else succeed(None)
