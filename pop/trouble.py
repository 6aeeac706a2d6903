"""Expected trouble with ZooKeeper, said as an operator understands it."""

from pop.errors import ConnectionBroke, Forbidden, PopError, Refused, TooLarge, Unreachable
from txzookeeper.errors import (
    AuthFailedException,
    ConnectionException,
    ConnectionLossException,
    ConnectionTimeoutException,
    NoAuthException,
    OversizedPacketError,
    RequestTooLargeException,
    SessionExpiredException,
    ZooKeeperException,
)


def said(error: BaseException, servers: str) -> PopError | None:
    """What an operator should read; L{None} if it is no trouble that was to be expected.

    @param servers: where ZooKeeper was looked for.
    """
    match error:
        case PopError():
            return error
        case NoAuthException() | AuthFailedException():
            return Forbidden(path=error.path or "the namespace")
        case RequestTooLargeException() | OversizedPacketError():
            return TooLarge()
        case ConnectionLossException() | SessionExpiredException():
            return ConnectionBroke(servers=servers)
        case ConnectionTimeoutException() | ConnectionException():
            return Unreachable(servers=servers, reason=_reason(str(error)))
        case ZooKeeperException():
            return Refused(reason=str(error).rstrip("."))
    return None


def _reason(text: str) -> str:
    """The heart of why a connection could not be made: what the last try met."""
    last = text.rpartition("The last try: ")[2].rstrip(".")
    host, _, reason = last.partition(": ")
    refused = "Connection refused"
    return refused if refused in reason else reason or host
