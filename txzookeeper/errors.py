"""Every error of this client: one class for each code of ZooKeeper 3.8, and the client's own.

The names are those of the C binding, as in the original txzookeeper, so that programs keep their
``except`` clauses. Source of the codes: ``KeeperException.java`` of ZooKeeper 3.8.
"""

from __future__ import annotations

from typing import Final

from txzookeeper.constants import CREATIONS


class ZooKeeperException(Exception):
    """Something that ZooKeeper, or the way to it, did not allow.

    ``code`` is ZooKeeper's number for it (None for the client's own errors), ``path`` the node
    it is about as the caller wrote it, and ``index`` the position of the operation that failed
    in its transaction. The message is a sentence for people.
    """

    code: int | None = None
    path: str | None = None
    index: int | None = None
    sentence = "ZooKeeper refused{at}."

    def __init__(self, path: str | None = None, message: str | None = None) -> None:
        super().__init__(message or self._say(path))
        self.path = path

    def _say(self, path: str | None) -> str:
        words = {"path": "", "at": "at ", "to": "to ", "for_": "for "}
        place = {key: f" {word}{path}" if path else "" for key, word in words.items()}
        place["about"] = f" (asked about {path})" if path else ""
        return self.sentence.format(**place)


class SystemErrorException(ZooKeeperException):
    """The server met a fault of its own and gave no other name to it."""

    code = -1
    sentence = "The server failed{at}."


class RuntimeInconsistencyException(ZooKeeperException):
    """A server found state that it holds to be impossible."""

    code = -2
    sentence = "The server found itself inconsistent{at}."


class DataInconsistencyException(ZooKeeperException):
    """A server found data that it holds to be impossible."""

    code = -3
    sentence = "The server found its data inconsistent{at}."


class ConnectionLossException(ZooKeeperException):
    """The connection broke during the call: it may or may not have been carried out."""

    code = -4
    sentence = "The connection broke before the answer came{about}."


class MarshallingErrorException(ZooKeeperException):
    """A value cannot be put into a packet, or the server could not read the packet."""

    code = -5
    sentence = "A value cannot be written in ZooKeeper's format{at}."


class UnimplementedException(ZooKeeperException):
    """The server is older than the operation, or has it switched off."""

    code = -6
    sentence = "The server does not know this operation{at}."


class OperationTimeoutException(ZooKeeperException):
    """The operation did not end within its time."""

    code = -7
    sentence = "The operation took too long{at}."


class BadArgumentsException(ZooKeeperException):
    """An argument breaks ZooKeeper's rules; a path, mostly."""

    code = -8
    sentence = "The arguments are not valid{at}."


class RequestTooLargeException(BadArgumentsException):
    """A request is longer than servers take, ``jute.maxbuffer``; it was not sent."""


class UnknownSessionException(ZooKeeperException):
    """The server was asked about a session that it never had."""

    code = -12
    sentence = "The server does not know this session{at}."


class NewConfigNoQuorumException(ZooKeeperException):
    """A reconfiguration would leave the ensemble without a quorum."""

    code = -13
    sentence = "No quorum of the new configuration is connected{at}."


class ReconfigInProgressException(ZooKeeperException):
    """Only one reconfiguration can run at a time."""

    code = -14
    sentence = "Another reconfiguration is in progress{at}."


class APIErrorException(ZooKeeperException):
    """The server refused the request for a reason below the named ones."""

    code = -100
    sentence = "The server refused the request{at}."


class NoNodeException(ZooKeeperException):
    """The node, or the parent of a node to be created, does not exist."""

    code = -101
    sentence = "There is no node{path}."


class NoAuthException(ZooKeeperException):
    """The node's ACL does not allow this to the identities of the session."""

    code = -102
    sentence = "Access is denied{to}."


class BadVersionException(ZooKeeperException):
    """The node is not at the version that the caller named: read it again."""

    code = -103
    sentence = "The node{path} is at another version."


class NoChildrenForEphemeralsException(ZooKeeperException):
    """The parent of a node to be created is ephemeral."""

    code = -108
    sentence = "An ephemeral node cannot have children{at}."


class NodeExistsException(ZooKeeperException):
    """The node to be created is there already."""

    code = -110
    sentence = "The node{path} exists already."


class NotEmptyException(ZooKeeperException):
    """The node to be deleted has children."""

    code = -111
    sentence = "The node{path} has children."


class SessionExpiredException(ZooKeeperException):
    """The server ended the session: its ephemeral nodes and watches are gone."""

    code = -112
    sentence = "The session has expired{about}."


class InvalidCallbackException(ZooKeeperException):
    """The C binding was given an invalid callback; this client never raises it."""

    code = -113
    sentence = "The callback is not valid{at}."


class InvalidACLException(ZooKeeperException):
    """The ACL is empty, or names a scheme or identity that the server does not accept."""

    code = -114
    sentence = "The ACL is not valid{for_}."


class AuthFailedException(ZooKeeperException):
    """The server refused the credentials: the session cannot be used any more."""

    code = -115
    sentence = "The server refused the credentials{about}."


class ClosingException(ZooKeeperException):
    """The client was closed before the call was answered."""

    code = -116
    sentence = "The client was closed before it had an answer{about}."


class NothingException(ZooKeeperException):
    """The C binding found no answer to process; this client never raises it."""

    code = -117
    sentence = "The server had nothing to answer{at}."


class SessionMovedException(ZooKeeperException):
    """The request reached a server after the session had moved on to another one."""

    code = -118
    sentence = "The session has moved to another server{at}."


class NotReadOnlyException(ZooKeeperException):
    """A write was sent to a server that is cut off from its quorum."""

    code = -119
    sentence = "The server can only read now, and this would write{to}."


class EphemeralOnLocalSessionException(ZooKeeperException):
    """Ephemeral nodes need a global session."""

    code = -120
    sentence = "A local session cannot make the ephemeral node{path}."


class NoWatcherException(ZooKeeperException):
    """The watch to be removed is not set."""

    code = -121
    sentence = "There is no such watch{at}."


class RequestTimeoutException(ZooKeeperException):
    """The server did not finish the request within its own limit."""

    code = -122
    sentence = "The server gave up on the request{at}."


class ReconfigDisabledException(ZooKeeperException):
    """The server was started without ``reconfigEnabled``."""

    code = -123
    sentence = "Reconfiguration is switched off on the server{at}."


class SessionClosedRequireSaslAuthException(ZooKeeperException):
    """The server closed the session as it was not authenticated by SASL."""

    code = -124
    sentence = "The server only admits sessions authenticated by SASL{at}."


class QuotaExceededException(ZooKeeperException):
    """The write would exceed a hard quota above the node."""

    code = -125
    sentence = "The quota is used up{at}."


class ThrottledOpException(ZooKeeperException):
    """The server sheds load: try again later."""

    code = -127
    sentence = "The server is overloaded and dropped the request{at}."


class ConnectionException(ZooKeeperException):
    """The connection to the servers cannot be used, for the reason in the message."""

    sentence = "The connection to ZooKeeper cannot be used."


class ConnectionTimeoutException(ConnectionException):
    """No session could be had within the time that was given for it."""

    sentence = "ZooKeeper could not be reached in time."


class NotConnectedException(ConnectionException):
    """The client was never connected, or has been closed."""

    sentence = "The client is not connected{about}."


class PacketError(ConnectionException):
    """The other side sent bytes that are no packet of the protocol; the connection is given up."""

    sentence = "The other side does not speak ZooKeeper's protocol."


class TruncatedPacketError(PacketError):
    """A packet ends before its fields do."""

    sentence = "A packet ends before its fields do."


class OversizedPacketError(PacketError):
    """A packet is longer than ``jute.maxbuffer``."""

    sentence = "A packet is longer than the limit."


class NonsensePacketError(PacketError):
    """A packet has a field that cannot be: a negative length, broken UTF-8, an unknown call."""

    sentence = "A packet makes no sense."


_ERRORS: Final[tuple[type[ZooKeeperException], ...]] = (
    SystemErrorException,
    RuntimeInconsistencyException,
    DataInconsistencyException,
    ConnectionLossException,
    MarshallingErrorException,
    UnimplementedException,
    OperationTimeoutException,
    BadArgumentsException,
    UnknownSessionException,
    NewConfigNoQuorumException,
    ReconfigInProgressException,
    APIErrorException,
    NoNodeException,
    NoAuthException,
    BadVersionException,
    NoChildrenForEphemeralsException,
    NodeExistsException,
    NotEmptyException,
    SessionExpiredException,
    InvalidCallbackException,
    InvalidACLException,
    AuthFailedException,
    ClosingException,
    NothingException,
    SessionMovedException,
    NotReadOnlyException,
    EphemeralOnLocalSessionException,
    NoWatcherException,
    RequestTimeoutException,
    ReconfigDisabledException,
    SessionClosedRequireSaslAuthException,
    QuotaExceededException,
    ThrottledOpException,
)

ERROR_CLASSES: Final[dict[int, type[ZooKeeperException]]] = {
    error.code: error for error in _ERRORS if error.code is not None
}
"""The exception class of each code."""


def error_for(code: int, path: str | None = None, op: int = 0) -> ZooKeeperException:
    """Make the exception of a reply's error code to such an operation.

    A code that is not in the table, of a newer server, becomes a plain ``ZooKeeperException``
    that names the number.
    """
    if path and code == NoNodeException.code and op in CREATIONS:
        return NoNodeException(path, _no_parent(path))
    if code in ERROR_CLASSES:
        return ERROR_CLASSES[code](path)
    place = f" at {path}" if path else ""
    error = ZooKeeperException(path, f"ZooKeeper answered with the unknown error {code}{place}.")
    error.code = code
    return error


def _no_parent(path: str) -> str:
    """Say what is missing; a root that is can only be one of the client's own."""
    if path == "/":
        return "There is no node to make the one in that the servers' path names."
    if parent := path.rpartition("/")[0]:
        return f"There is no node {parent} to make {path} in."
    return f"There is no node to make {path} in: the one that the servers' path names is missing."
