"""Reports are right after any trouble with the way to ZooKeeper."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from pop.reports import Report
from pop.test.test_reports import (
    ALL,
    FAILED,
    READY,
    SPAWNED,
    STARTING,
    ReportsTestCase,
)

CHANGES: tuple[tuple[Report | None, Report | None], ...] = (
    (None, READY),
    (READY, None),
    (READY, FAILED),
    (SPAWNED, READY),
    (READY, replace(READY, state={"port": 2})),
)


class TroubleTests(ReportsTestCase):
    """Each change of a report, with trouble at each moment."""

    def begin(self) -> None:
        super().begin()
        self.before: Report | None = None
        self.after: Report | None = None

    def change(self, before: Report | None, after: Report | None) -> None:
        """Begin to publish something else than before."""
        if before:
            self.publish(before)
            self.server.settle()
        self.publish(after)

    def each_moment(self, trouble: Callable[[], None]) -> Iterator[tuple[Report | None, object]]:
        """Trouble at each moment of each change: what should be in the end, and which it was."""
        for before, after in CHANGES:
            for step in self.at_each_step(partial(self.change, before, after), trouble):
                yield after, (before, after, step)
            self.end()
            self.begin()

    def go_away(self) -> None:
        """ZooKeeper is not there any more."""
        self.network.refuse_connections()
        self.network.drop_connections()

    def test_dropped(self) -> None:
        """A connection that breaks, carried out or not, ends in the right nodes."""
        for after, moment in self.each_moment(lambda: self.network.drop_connections()):
            self.server.advance(5)
            self.check(after, moment)

    def test_dropped_and_changed(self) -> None:
        """Nor does it matter that the instance goes on meanwhile."""

        def trouble() -> None:
            self.network.drop_connections()
            self.publish(FAILED, STARTING)

        for step in self.at_each_step(lambda: self.change(SPAWNED, READY), trouble):
            self.server.advance(5)
            self.check(STARTING, step)

    def test_expired(self) -> None:
        """A session that expires at any moment is followed by one with the right nodes."""

        def trouble() -> None:
            self.server.server.expire(self.agent.client.client_id[0])

        for after, moment in self.each_moment(trouble):
            self.server.advance(5)
            self.check(after, moment)

    def test_dropped_then_expired(self) -> None:
        """A connection that breaks, and later a session that expires, bring back nothing that is
        gone."""
        for after, moment in self.each_moment(lambda: self.network.drop_connections()):
            self.server.advance(5)
            self.server.expire(self.agent.client.client_id[0])
            self.server.advance(5)
            self.check(after, moment)

    def test_session_back(self) -> None:
        """Expired again and again, the session's nodes are back each time."""
        self.publish(READY)
        for _ in range(3):
            self.server.advance(1)
            self.server.expire(self.agent.client.client_id[0])
            self.assertEqual(None, self.run_(self.client.exists(ALL[0])))
            self.server.advance(5)
            self.check(READY)

    def test_away(self) -> None:
        """What changes while ZooKeeper is away is published when it is back, the latest only."""
        self.publish(READY)
        self.server.settle()
        self.go_away()
        self.publish(STARTING, SPAWNED, FAILED)
        self.server.advance(2)
        self.network.accept_connections()
        self.server.advance(3)
        self.check(FAILED)

    def test_away_for_long(self) -> None:
        """The same if it was away for so long that the session expired."""
        self.publish(READY)
        self.server.settle()
        self.go_away()
        self.server.advance(60)
        self.check(None)
        self.publish(FAILED)
        self.network.accept_connections()
        self.server.advance(10)
        self.check(FAILED)

    def test_stopped_while_away(self) -> None:
        """It can be stopped while a write waits for ZooKeeper."""
        self.go_away()
        self.publish(READY)
        self.server.advance(1)
        self.reports.stop()
        self.run_(self.agent.client.close())
        self.assertEqual([], self.flushLoggedErrors())
