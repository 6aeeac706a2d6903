"""An agent by Perspective Broker, for Python programs: the same questions as by AMP, as methods of
a remote object.

Note [Outputs]: what comes piece by piece goes to a C{Referenceable} of the asker's with
C{remote_write(source, data)}, and C{cancel} with the same one ends it; so does a broken connection.
"""

from collections.abc import Callable
from typing import Any

from twisted.cred.checkers import AllowAnonymousAccess, InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.credentials import Anonymous, IAnonymous, UsernamePassword
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.spread import pb
from zope.interface import implementer

from pop.errors import AgentErred, AgentLost, PopError, told
from pop.interfaces import IAdministration, IOutput
from pop.protocols.window import Window


class Refusal(pb.Error):
    """A L{PopError} on its way: its name, a blank, and its sentence."""


def portal(administration: IAdministration, identity: str | None = None) -> Portal:
    """Who gets in: anybody who can connect, or whoever knows an identity.

    @param identity: C{USER:PASSWORD}; it is not sent, but proved to be known.
    """
    if identity is None:
        checker: Any = AllowAnonymousAccess()
    else:
        user, _, password = identity.encode().partition(b":")
        checker = InMemoryUsernamePasswordDatabaseDontUse(**{user.decode(): password})
    return Portal(Realm(administration), [checker])


@implementer(IRealm)
class Realm:
    """An agent, as those have it who got in."""

    def __init__(self, administration: IAdministration) -> None:
        self._administration = administration

    def requestAvatar(self, avatarId: Any, mind: Any, *interfaces: Any) -> Any:
        """See L{IRealm}."""
        if pb.IPerspective not in interfaces:
            raise NotImplementedError("only perspectives")
        perspective = Perspective(self._administration)
        return pb.IPerspective, perspective, perspective.logout


class Perspective(pb.Avatar):
    """What one connection may ask. Each of its methods is one of L{IAdministration}'s."""

    _log = Logger()

    def __init__(self, administration: IAdministration) -> None:
        self._administration = administration
        self._open: dict[Any, Deferred[Any]] = {}

    def perspective_info(self) -> Deferred[Any]:
        return self._answer(self._administration.info)

    def perspective_instances(self, service: str = "") -> Deferred[Any]:
        return self._answer(self._administration.instances, service)

    def perspective_signal(self, service: str, name: str, slot: str = "") -> Deferred[Any]:
        return self._answer(self._administration.signal, service, name, slot)

    def perspective_restart(self, service: str, slot: str = "") -> Deferred[Any]:
        return self._answer(self._administration.restart, service, slot)

    def perspective_why(self, service: str) -> Deferred[Any]:
        return self._answer(self._administration.why, service)

    def perspective_logs(
        self, service: str, lines: int, follow: bool, output: Any
    ) -> Deferred[Any]:
        return self._tell(self._administration.logs, (service, lines, follow), output)

    def perspective_run(
        self, service: str, task: str, arguments: list[str], output: Any
    ) -> Deferred[Any]:
        return self._tell(self._administration.run, (service, task, arguments), output)

    def perspective_cancel(self, output: Any) -> None:
        """See Note [Outputs]."""
        if output in self._open:
            self._open[output].cancel()

    def logout(self) -> None:
        """The connection is over: nobody waits for an answer any more."""
        for asked in list(self._open.values()):
            asked.cancel()

    def _tell(self, method: Callable[..., Any], arguments: Any, output: Any) -> Deferred[Any]:
        def send(source: str, data: bytes) -> Deferred[object]:
            sent: Deferred[object] = maybeDeferred(output.callRemote, "write", source, data)
            return sent

        window = Window(send, lambda: self.perspective_cancel(output))
        return self._answer(method, *arguments, window, key=output, window=window)

    def _answer(
        self,
        method: Callable[..., Deferred[Any]],
        *arguments: Any,
        key: Any = None,
        window: Window | None = None,
    ) -> Deferred[Any]:
        asked = maybeDeferred(method, *arguments)
        key = asked if key is None else key
        self._open[key] = asked
        return Deferred.fromCoroutine(self._answered(key, asked, window))

    async def _answered(self, key: Any, asked: Deferred[Any], window: Window | None) -> Any:
        """The answer; what goes wrong becomes a sentence."""
        try:
            result = await asked
            if window:
                await window.drained()
        except PopError as error:
            raise Refusal(f"{type(error).__name__} {error}") from error
        except CancelledError as error:
            raise Refusal("CancelledError It was cancelled.") from error
        except Exception as error:
            self._log.failure("Cannot answer")
            said = AgentErred(machine="this machine", reason=f"{type(error).__name__}: {error}")
            raise Refusal(f"AgentErred {said}") from error
        finally:
            del self._open[key]
        return result


class Broker(pb.Broker):
    """The agent's end of a connection."""

    def __init__(self, refused: Callable[[str], None], left: Callable[[], None]) -> None:
        super().__init__(isClient=False)
        self._refused = refused
        self._left = left

    def dataReceived(self, data: bytes) -> None:
        """Read; what makes no sense ends the connection."""
        try:
            super().dataReceived(data)
        except Exception as error:
            self._refused(f"what it sent makes no sense ({type(error).__name__})")
            self.transport.abortConnection()  # type: ignore[union-attr]  # it is connected

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is over."""
        super().connectionLost(reason)
        self._left()


def broker(
    administration: IAdministration, refused: Callable[[str], None], left: Callable[[], None]
) -> Broker:
    """The agent's end of a connection of somebody who need not say who they are."""
    found = Broker(refused, left)
    factory = pb.PBServerFactory(portal(administration))
    found.factory = factory  # type: ignore[assignment]  # it is None in the class
    found.setNameForLocal("root", factory.root.rootObject(found))
    return found


class _Output(pb.Referenceable):
    """See Note [Outputs]."""

    def __init__(self, output: IOutput) -> None:
        self._output = output
        self.failure: Failure | None = None

    def remote_write(self, source: str, data: bytes) -> Deferred[None]:
        return maybeDeferred(self._output.write, source, data).addErrback(self._failed)

    def _failed(self, failure: Failure) -> None:
        self.failure = self.failure or failure
        raise Refusal("it is not wanted")


@implementer(IAdministration)
class Administrator:
    """An agent, asked by Perspective Broker.

    @ivar lost: fires when the connection is over.
    """

    def __init__(self, perspective: Any, machine: str = "that machine") -> None:
        self.machine = machine
        self.lost: Deferred[None] = Deferred()
        self._perspective = perspective
        perspective.broker.notifyOnDisconnect(lambda: self.lost.callback(None))

    @classmethod
    async def login(
        cls, factory: pb.PBClientFactory, identity: str | None = None
    ) -> "Administrator":
        """Get in.

        @param factory: of a connection.
        @param identity: C{USER:PASSWORD}, where one is asked for.
        """
        credentials: IAnonymous | UsernamePassword = Anonymous()
        if identity is not None:
            user, _, password = identity.encode().partition(b":")
            credentials = UsernamePassword(user, password)
        return cls(await factory.login(credentials))

    def close(self) -> Deferred[None]:
        """End the connection; fires when it is over."""
        self._perspective.broker.transport.loseConnection()
        return self.lost

    def info(self) -> Deferred[dict[str, Any]]:
        """See L{IAdministration.info}."""
        return self._ask("info")

    def instances(self, service: str = "") -> Deferred[list[dict[str, Any]]]:
        """See L{IAdministration.instances}."""
        return self._ask("instances", service)

    def signal(self, service: str, name: str, slot: str = "") -> Deferred[int]:
        """See L{IAdministration.signal}."""
        return self._ask("signal", service, name, slot)

    def restart(self, service: str, slot: str = "") -> Deferred[int]:
        """See L{IAdministration.restart}."""
        return self._ask("restart", service, slot)

    def why(self, service: str) -> Deferred[list[dict[str, Any]]]:
        """See L{IAdministration.why}."""
        return self._ask("why", service)

    def logs(self, service: str, lines: int, follow: bool, output: IOutput) -> Deferred[None]:
        """See L{IAdministration.logs}."""
        return Deferred.fromCoroutine(self._hear(output, "logs", service, lines, follow))

    def run(
        self, service: str, task: str, arguments: list[str], output: IOutput
    ) -> Deferred[dict[str, Any]]:
        """See L{IAdministration.run}."""
        return Deferred.fromCoroutine(self._hear(output, "run", service, task, arguments))

    def _ask(self, method: str, *arguments: Any) -> Deferred[Any]:
        return Deferred.fromCoroutine(self._call(method, *arguments))

    async def _hear(self, output: IOutput, method: str, *arguments: Any) -> Any:
        taking = _Output(output)
        try:
            return await self._call(method, *arguments, taking)
        except CancelledError:
            self._perspective.callRemote("cancel", taking).addErrback(lambda _: None)
            raise
        finally:
            if taking.failure is not None:
                taking.failure.raiseException()

    async def _call(self, method: str, *arguments: Any) -> Any:
        try:
            return await self._perspective.callRemote(method, *arguments)
        except pb.RemoteError as error:
            name, _, sentence = str(error.args[0]).partition(" ")
            if error.remoteType == b"pop.protocols.pb.Refusal":
                raise told(name, sentence) from None
            raise AgentErred(machine=self.machine, reason=str(error.args[0])) from error
        except (pb.PBConnectionLost, pb.DeadReferenceError) as error:
            raise AgentLost(machine=self.machine) from error
