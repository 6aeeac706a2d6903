"""The builder: Python environments are made, and removed, by processes of their own."""

import os
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import BinaryIO

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from zope.interface import implementer

from pop.accounts import account_of
from pop.commands import Errand, Start
from pop.environments import FAILURE, Environments
from pop.errors import NotBuilt, NotSpawned
from pop.interfaces import IBuilder
from pop.model import dump
from pop.program import Launch, Program
from pop.recipe import Recipe

AT_A_TIME = 2
"""Builds; what they do is mostly done by one processor each."""


@implementer(IBuilder)
class Builder:
    """Builds as the user that the service runs as, with its variables; what is said is logged.

    @param start: how a process is started beside an instance.
    @param output: opens the log of a service.
    """

    _log = Logger()

    def __init__(
        self, environments: Environments, start: Start, output: Callable[[str], BinaryIO]
    ) -> None:
        self._environments = environments
        self._start = start
        self._output = output
        self._turn = DeferredSemaphore(AT_A_TIME)

    def has(self, service: str, recipe: Recipe) -> bool:
        """See L{IBuilder.has}."""
        return self._environments.has(service, recipe)

    def build(self, service: str, launch: Launch) -> "Deferred[None]":
        """See L{IBuilder.build}."""
        return self._turn.run(lambda: Deferred.fromCoroutine(self._build(service, launch)))

    async def _build(self, service: str, launch: Launch) -> None:
        recipe = launch.program.recipe
        assert recipe is not None  # else there is nothing to be built
        account = account_of(launch)
        self._environments.make(service, account.uid, account.gid)
        argv = (sys.executable, "-P", "-m", "pop.protocols.build")
        directory = str(self._environments.of(service))
        told = dump({"directory": directory, "recipe": recipe.to_object()})
        program = replace(launch.program, argv=argv, stdin=told)
        errand = Errand()
        with self._output(service) as output:
            errand.process = self._start(service, replace(launch, program=program), output, errand)
        fault = await errand.ended
        if fault:
            raise NotBuilt(reason=self._words(service) or fault)
        if not self.has(service, recipe):
            raise NotBuilt(reason="it is not there, though it was built")

    def _words(self, service: str) -> str:
        try:
            return (self._environments.of(service) / FAILURE).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return ""

    def collect(self, used: Mapping[str, Collection[str]]) -> None:
        """See L{IBuilder.collect}."""
        for service in self._environments.services():
            if service not in used:
                self._remove(service, [str(self._environments.of(service))])
                continue
            unused = self._environments.unused(service, used[service])
            places = [os.path.realpath(link) for link in unused]
            for link in unused:
                link.unlink(missing_ok=True)
            self._remove(service, sorted(set(places) - self._environments.places(service)))

    def _remove(self, service: str, places: list[str]) -> None:
        if not places:
            return
        self._log.info("{service}: removing {places}.", service=service, places=" ".join(places))
        launch = Launch(Program(("rm", "-rf", "--", *places)), directory="/")
        try:
            with open(os.devnull, "wb") as output:
                self._start(service, launch, output, ProcessProtocol())
        except NotSpawned as error:
            self._log.error("{service}: {error}", service=service, error=error)
