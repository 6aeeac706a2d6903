"""Who is asked, and what is answered if that fails."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from inspect import isasyncgen, iscoroutine
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from pop.components.http import HTTP_MAX_BODY_SIZE
from pop.components.http.errors import BadTarget, HeadersOnly, HttpError
from pop.components.http.inbound import Inbound
from pop.components.http.pages import Pages
from pop.components.http.paths import path_of
from pop.components.http.request import HTTPServletRequest
from pop.components.http.response import HTTPServletResponse
from pop.components.http.servlets import Binding, Servlets

if TYPE_CHECKING:
    from pop.components.http.guard import Guard

log = Logger()
CHALLENGE = 'Basic realm="pop", charset="UTF-8"'
Call = Callable[[HTTPServletRequest, HTTPServletResponse], Any]
_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


class Server:
    """Answers requests by the servlets that there are.

    @param limit: bytes that the body of a request may have; 0 for any.
    @param debug: whether people are shown what only the log should say.
    @param guard: whom it asks who may ask; without one, anybody may.
    @param new_id: names an error, in the log and to whoever saw it.
    """

    def __init__(
        self,
        servlets: Servlets,
        pages: Pages,
        new_id: Callable[[], str],
        limit: int = 1 << 20,
        debug: bool = False,
        guard: "Guard | None" = None,
    ) -> None:
        self.servlets = servlets
        self.pages = pages
        self._new_id = new_id
        self._limit = limit
        self._debug = debug
        self._guard = guard

    def limit_of(self, target: bytes) -> int | None:
        """Bytes that the body of a request for a target may have; L{None} for any.

        A servlet's property may say more or less than the server's.
        """
        try:
            binding = self.servlets.find(path_of(target))
        except BadTarget:
            binding = None
        said = None if binding is None else binding.parameters.get(HTTP_MAX_BODY_SIZE)
        try:
            limit = self._limit if said is None else int(said)
        except (OverflowError, TypeError, ValueError):  # it is as if the servlet had said nothing
            limit = self._limit
        return limit if limit > 0 else None

    def refuse(self, inbound: Inbound, code: int) -> None:
        """Answer a request of which not all is there, or which may not be asked."""
        response = HTTPServletResponse(inbound, "", self.pages)
        if code == 503:
            response.set_header("Retry-After", 1)
        elif code == 401:
            response.set_header("WWW-Authenticate", CHALLENGE)
        response.send_error(code)
        response.finish()

    def admit(self, inbound: Inbound) -> Deferred[bool] | None:
        """Whether a request may be asked, before its body comes; L{None} if anybody may."""
        if self._guard is None:
            return None
        inbound.running = admitted = self._guard.admit(inbound)
        return admitted

    def serve(self, inbound: Inbound) -> None:
        """Answer a request, of somebody who may ask."""
        admitted = None if inbound.admitted else self.admit(inbound)
        if admitted is None:
            self._serve(inbound)
        else:
            admitted.addCallback(self._admitted, inbound)

    def _admitted(self, admitted: bool, inbound: Inbound) -> None:
        if admitted:
            self._serve(inbound)
        else:
            self.refuse(inbound, 401)

    def _serve(self, inbound: Inbound) -> None:
        try:
            path = path_of(inbound.uri)
        except BadTarget as error:
            log.info("{error}", error=error)
            self.refuse(inbound, 400)
            return
        response = HTTPServletResponse(inbound, path, self.pages)
        binding = self.servlets.find(path)
        if binding is None:
            response.send_error(404, self._paths())
            response.finish()
        elif not binding.ready:
            response.set_header("Retry-After", 1)
            response.send_error(503)
            response.finish()
        else:
            self._ask(binding, HTTPServletRequest(inbound, path, binding), response, inbound)

    def _paths(self) -> str:
        return "\n".join(["Servlets:", *self.servlets.paths()]) if self._debug else ""

    def _ask(
        self,
        binding: Binding,
        request: HTTPServletRequest,
        response: HTTPServletResponse,
        inbound: Inbound,
    ) -> None:
        try:
            call = _method(binding.servlet, request.get_command())
            result = (call or _refusal(binding))(request, response)
        except Exception:
            self._failed(Failure(), request, response)
            return
        if isasyncgen(result):
            result = _send(result, response, request.get_command() == "HEAD")
        if iscoroutine(result):
            result = Deferred.fromCoroutine(result)
        if isinstance(result, Deferred):
            inbound.running = result
            result.addCallback(lambda _: response.finish())
            result.addErrback(self._failed, request, response)
        else:
            response.finish()

    def _failed(
        self, failure: Failure, request: HTTPServletRequest, response: HTTPServletResponse
    ) -> None:
        """Say so in the log; to whoever asked, only where in the log."""
        error = failure.value
        if response.gone() and failure.check(CancelledError):
            return
        if isinstance(error, HeadersOnly):
            response.finish()
            return
        if isinstance(error, HttpError) and not response.started():
            response.send_error(error.code, error.details)
            response.finish()
            return
        id = self._new_id()
        log.failure(
            "Error {id}: {servlet} could not answer {command} {path}",
            failure,
            id=id,
            servlet=request.get_prefix_path(),
            command=request.get_command(),
            path=request.get_path(),
        )
        if response.started():
            response.abandon()
            return
        response.reset()
        response.send_error(500, failure.getTraceback() if self._debug else f"Error {id}")
        response.finish()


def _method(servlet: Any, command: str) -> Call | None:
    """What answers a method; what answers C{GET} can do so for C{HEAD}, whose body is not sent."""
    if not (command.isalpha() and command.isupper()):
        return None
    call = getattr(servlet, f"do_{command}", None)
    return getattr(servlet, "do_GET", None) if call is None and command == "HEAD" else call


async def _send(
    pieces: AsyncGenerator[Any, Any], response: HTTPServletResponse, bare: bool
) -> None:
    """Send what a servlet yields, and have it yield more when there is room.

    @param bare: whether only headers are sent, which are known by the first piece.
    """
    async with aclosing(pieces):
        async for piece in pieces:
            await response.write(piece)
            if bare or response.gone():  # also if a servlet takes no notice of being cancelled
                break


def _refusal(binding: Binding) -> Call:
    """A servlet has no method for a request: what has it?"""

    def refuse(request: HTTPServletRequest, response: HTTPServletResponse) -> None:
        allowed = [known for known in _METHODS if _method(binding.servlet, known) is not None]
        response.set_header("Allow", ", ".join([*allowed, "OPTIONS"]))
        if request.get_command() == "OPTIONS":
            response.set_response(204)
        else:
            response.send_error(405)

    return refuse
