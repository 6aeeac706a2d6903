"""The operations about watches that stay, and about taking watches away."""

from __future__ import annotations

from functools import partial

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from txzookeeper import constants as c
from txzookeeper.call import nothing
from txzookeeper.errors import NoWatcherException, ZooKeeperException
from txzookeeper.event import ClientEvent
from txzookeeper.records import AddWatchRequest, RemoveWatchesRequest
from txzookeeper.requester import Requester
from txzookeeper.standing import Callback, StandingWatch
from txzookeeper.watches import REMOVED_KINDS, fire


class Watching(Requester):
    """How watches come to stay, and go."""

    def add_watch(
        self, path: str, callback: Callback, recursive: bool = False
    ) -> Deferred[StandingWatch]:
        """Have ``callback(event)`` called for every event of a node, until the watch is removed.

        With ``recursive`` for those of all nodes below it too. Needs ZooKeeper 3.6 or later.
        """
        watches = self._channel.watches
        watch = StandingWatch(path, self._full(path), callback, recursive, self._unwatch)
        watches.stand(watch)
        request = AddWatchRequest(watch.full, watches.modes[watch.full])
        added = self._ask(c.ADD_WATCH_OP, path, request, nothing)
        return added.addCallbacks(lambda _: watch, self._not_added, errbackArgs=(watch,))

    def remove_watches(self, path: str, kind: int = c.ANY_WATCHES) -> Deferred[None]:
        """Take away this client's watches on a node; ``kind`` is one of the ``*_WATCHES``.

        Their Deferreds and callbacks are told by a ``*_WATCH_REMOVED_EVENT``; only
        ``ANY_WATCHES`` takes standing ones too. Fails with ``NoWatcherException`` if there are
        none.
        """
        full, watches = self._full(path), self._channel.watches
        standing = watches.standing(full) if kind == c.ANY_WATCHES else []
        if not standing and not watches.armed(full, REMOVED_KINDS.get(kind, ())):
            return fail(NoWatcherException(path))
        removed = partial(self._removed, path, kind, standing)
        connected = self._channel.connected
        if kind != c.ANY_WATCHES and full in watches.modes:
            return succeed(removed())
        if connected or not watches.leans(full):
            watches.modes.pop(full, None)
        if not connected:
            # The next server will not be asked for them.
            return succeed(removed())

        def observe(code: int, _: object) -> None:
            if code in (0, NoWatcherException.code):
                removed()
            else:
                watches.keep_standing(full)

        request = RemoveWatchesRequest(full, kind)
        return self._ask(c.REMOVE_WATCHES_OP, path, request, nothing, observe=observe)

    def _removed(self, path: str, kind: int, standing: list[StandingWatch]) -> None:
        watches, state = self._channel.watches, self._channel.session.state
        for number in REMOVED_KINDS[kind]:
            event = ClientEvent(_REMOVED[number], state, path)
            fire(watches.taken(self._full(path), (number,)), event)
        for each in standing:
            watches.retire(each)
            each.tell(ClientEvent(c.PERSISTENT_WATCH_REMOVED_EVENT, state, path))
            each.silence()

    def _unwatch(self, watch: StandingWatch) -> Deferred[None]:
        watch.silence()
        watches = self._channel.watches
        if not watches.retire(watch) or watches.needs(watch.full):
            return succeed(None)
        watches.modes.pop(watch.full, None)
        if not self._channel.connected:
            return succeed(None)
        request = RemoveWatchesRequest(watch.full, c.ANY_WATCHES)
        asked = self._ask(c.REMOVE_WATCHES_OP, watch.path, request, nothing)
        return asked.addErrback(_gone_anyway)

    def _not_added(self, failure: Failure, watch: StandingWatch) -> Failure:
        watches = self._channel.watches
        watch.silence()
        if watches.retire(watch) and not watches.needs(watch.full):
            watches.modes.pop(watch.full, None)
        return failure


_REMOVED = (
    c.DATA_WATCH_REMOVED_EVENT,
    c.DATA_WATCH_REMOVED_EVENT,
    c.CHILD_WATCH_REMOVED_EVENT,
)
"""The event's type for each kind of one-shot watch."""


def _gone_anyway(failure: Failure) -> None:
    failure.trap(ZooKeeperException)
