"""Who the client is: the credentials that every connection has to be told again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from twisted.internet.defer import Deferred, gatherResults
from twisted.python.failure import Failure

from txzookeeper.errors import AuthFailedException, ZooKeeperException
from txzookeeper.jute import encode
from txzookeeper.protocol import ZookeeperProtocol
from txzookeeper.records import AuthRequest
from txzookeeper.waiters import Waiters


class Identity:
    """One credential, and those who wait for a server to accept it."""

    def __init__(self, request: AuthRequest) -> None:
        self.request = request
        self.accepted: Waiters[None] = Waiters()


class Identities:
    """All credentials of a client, in the order in which they were added."""

    def __init__(self) -> None:
        self._all: list[Identity] = []

    def add(self, scheme: str, credential: bytes) -> Identity:
        """Add a credential, unless it is there already; give it.

        Raises ``MarshallingErrorException`` for what is none.
        """
        request = AuthRequest(0, scheme, credential)
        encode(request)
        known = [each for each in self._all if each.request == request]
        if not known:
            self._all.append(Identity(request))
        return known[0] if known else self._all[-1]

    def present(
        self, protocol: ZookeeperProtocol, refused: Callable[[], None], only: Identity | None = None
    ) -> Deferred[list[None]]:
        """Tell a server all credentials, or only one; fires when it has accepted them."""
        identities = self._all if only is None else [only]
        return gatherResults([_present(protocol, each, refused) for each in identities])

    def fail(self, kind: type[ZooKeeperException]) -> None:
        """Tell all who wait that no server will accept anything any more."""
        for identity in self._all:
            identity.accepted.fail(kind())


def _present(
    protocol: ZookeeperProtocol, identity: Identity, refused: Callable[[], None]
) -> Deferred[None]:
    done: Deferred[None] = Deferred()

    def accepted(_: None) -> None:
        identity.accepted.fire(None)
        done.callback(None)

    protocol.authenticate(identity.request).addCallbacks(accepted, partial(_refused, refused))
    return done


def _refused(refused: Callable[[], None], failure: Failure) -> None:
    # Otherwise the connection is lost, and the next one is told again.
    if failure.check(AuthFailedException):
        refused()
