"""The runs of tasks on one machine, while they last."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger

from pop.catalogue import Catalogue
from pop.errors import NotHere
from pop.interfaces import IOutput
from pop.model import Json, Service
from pop.program import Launch, module_path
from pop.protocols.control import Request
from pop.tasks import find_task

Begin = Callable[[str, Launch, Request, IOutput], Coroutine[Any, Any, dict[str, Json]]]
"""(slot, launch, request, output): see L{pop.taskprocess.TaskProcesses.run}."""


class TaskRuns:
    """Runs tasks for administrators.

    @param wish: what is wanted of a service here; L{None} if it is not.
    @param begin: runs a task in a process of its own.
    @param state_directory: below which the agent keeps its files.
    """

    _log = Logger()

    def __init__(
        self,
        machine: str,
        wish: Callable[[str], Awaitable[Service | None]],
        catalogue: Catalogue,
        begin: Begin,
        state_directory: str,
    ) -> None:
        self._machine = machine
        self._wish = wish
        self._catalogue = catalogue
        self._begin = begin
        self._state_directory = state_directory
        self._going: set[Deferred[dict[str, Json]]] = set()

    def run(
        self, service: str, task: str, arguments: list[str], output: IOutput
    ) -> Deferred[dict[str, Json]]:
        """See L{pop.interfaces.IAdministration.run}.

        @raise pop.errors.NotHere: the service is not to be on this machine.
        @raise pop.errors.NoSuchTask: its type has no such task.
        @raise pop.errors.PopError: it cannot be run here.
        """
        going = Deferred.fromCoroutine(self._run(service, task, arguments, output))
        if not going.called:
            self._going.add(going)
            going.addBoth(self._gone, going)
        return going

    def _gone(self, result: Any, going: Deferred[dict[str, Json]]) -> Any:
        self._going.discard(going)
        return result

    async def _run(
        self, service: str, task: str, arguments: list[str], output: IOutput
    ) -> dict[str, Json]:
        wish = await self._wish(service)
        if wish is None:
            raise NotHere(service=service, slot=service, machine=self._machine, hint="")
        find_task(self._catalogue.type(wish.type), task)
        launch = self._catalogue.launch(wish, self._machine)
        request = Request(
            wish.type,
            service,
            self._machine,
            task,
            tuple(arguments),
            wish.settings,
            self._state_directory,
            module_path(),
        )
        self._log.info("{service}: runs its task {task}", service=service, task=task)
        result = await self._begin(service, launch, request, output)
        said = {"service": service, "task": task, "status": result["status"]}
        self._log.info("{service}: its task {task} ended with status {status}", **said)
        return result

    def stop(self) -> Deferred[Any]:
        """End all of them; fires when nothing of them is left."""
        for going in list(self._going):
            going.cancel()
        return DeferredList([going.addErrback(lambda _: None) for going in self._going])
