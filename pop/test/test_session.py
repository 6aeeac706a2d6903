"""A session goes from one agent to the next, and nobody sees its nodes vanish."""

from pop.cluster import Cluster
from pop.files import Record
from pop.model import AgentInfo, Machine, Status
from pop.registration import Registration
from pop.reports import Report, Reports
from pop.session import SessionNote
from pop.test.clusters import ClusterTestCase
from pop.testing import FakeFile
from txzookeeper import ClientEvent, ManagedClient

OWNER = {"machine": "m1"}
READY = Report(Status("ready"), 41, {"port": 80})
PATHS = ("/agents/m1", "/machines/m1/web", "/services/web/state/m1", "/services/web/status/m1")


class NotedTestCase(ClusterTestCase):
    """An agent's client, whose session is noted, and which dies without a word."""

    def begin(self) -> None:
        super().begin()
        self.file = FakeFile()

    def note(self) -> SessionNote:
        """The note, as an agent of this machine finds it."""
        return SessionNote(Record("session", self.file, OWNER))

    def open(self) -> ManagedClient:
        """The next agent's client, on the session that is noted, if it is."""
        self.network = self.server.network()
        client = ManagedClient(
            self.server.servers,
            session_timeout=6000,
            reactor=self.clock,
            endpoint=self.network.endpoint,
        )
        self.clients.append(client)
        self.note().follow(client)
        self.run_(client.connect(client_id=self.note().read()))
        return client

    def kill(self, client: ManagedClient) -> None:
        """Its process is gone; its session is not."""
        self.run_(client.hand_over())


class SessionNoteTests(NotedTestCase):
    """The note of a session."""

    def test_resumed(self) -> None:
        """The next one has the same session."""
        first = self.open()
        session = first.client_id
        self.kill(first)
        self.assertEqual(session, self.open().client_id)

    def test_followed(self) -> None:
        """A session that follows an expired one is noted too."""
        client = self.open()
        before = client.client_id
        self.server.expire(before[0])
        self.server.advance(1)
        self.assertNotEqual(before, client.client_id)
        self.assertEqual(client.client_id, self.note().read())

    def test_too_late(self) -> None:
        """After its time-out, the next one has a new session, and that is noted."""
        first = self.open()
        session = first.client_id
        self.kill(first)
        self.server.advance(10)
        second = self.open()
        self.assertNotEqual(session, second.client_id)
        self.assertEqual(second.client_id, self.note().read())

    def test_forgotten(self) -> None:
        """A session that was ended in order is noted no more."""
        self.open()
        self.note().forget()
        self.assertEqual(None, self.note().read())

    def test_damaged(self) -> None:
        """A note that makes no sense, or is another machine's, is passed over."""
        for value in (None, 7, {}, {"id": 1, "password": 5}, {"id": "x", "password": ""}):
            Record("session", self.file, OWNER).write(value)
            self.assertEqual(None, self.note().read(), value)
        Record("session", self.file, {"machine": "m2"}).write({"id": 1, "password": "00"})
        self.assertEqual(None, self.note().read())


class ResumedTests(NotedTestCase):
    """Two agents, one after the other, in one session."""

    def begin(self) -> None:
        super().begin()
        self.deploy("web", "m1")
        self.seen: list[ClientEvent] = []
        self.agents: list[tuple[Registration, Reports]] = []
        self.life(1)

    def end(self) -> None:
        for registration, reports in self.agents:
            registration.stop()
            reports.stop()
        super().end()

    def life(self, pid: int, report: Report | None = READY) -> None:
        """An agent begins and reports."""
        self.agent = self.connect_again()
        reports = Reports(self.agent, "m1", self.clock)
        info = AgentInfo(pid, "host", "/m1", "mine")
        registration = Registration(self.agent, Machine("m1"), info, reports, self.clock)
        self.agents.append((registration, reports))
        self.run_(registration.register())
        reports.publish("web", report)
        self.server.settle()

    def connect_again(self) -> Cluster:
        """The namespace, as the next agent has it."""
        return Cluster(self.open(), self.paths, self.clock)

    def die(self) -> None:
        """The agent is killed."""
        registration, reports = self.agents[-1]
        registration.stop()
        reports.stop()
        self.kill(self.agent.client)

    def watch(self) -> None:
        """Somebody else watches all there is."""
        self.run_(self.client.add_watch("/", self.seen.append, recursive=True))

    def owned(self) -> list[str]:
        """The nodes that are there, of all that an agent and its service may have."""
        session = self.agent.client.client_id[0]
        found = {path: self.run_(self.client.exists(path)) for path in PATHS}
        return [path for path, stat in found.items() if stat and stat.ephemeral_owner == session]

    def test_nothing_vanishes(self) -> None:
        """Nodes that the successor has as well are changed, neither deleted nor created."""
        self.watch()
        self.die()
        self.life(2)
        self.server.advance(20)
        self.assertEqual(["changed"], sorted({event.type_name for event in self.seen}))
        self.assertEqual([*PATHS], self.owned())
        self.assertEqual(2, AgentInfo.from_json("", self.data(PATHS[0]) or b"").pid)

    def test_expired_later(self) -> None:
        """What was taken over is made again when the session expires, as what was created."""
        self.die()
        self.life(2)
        self.server.expire(self.agent.client.client_id[0])
        self.server.advance(5)
        self.assertEqual([*PATHS], self.owned())

    def test_expired_meanwhile(self) -> None:
        """If the session has gone with its nodes, they are made in a new one."""
        self.die()
        self.server.advance(10)
        self.assertEqual(None, self.data(PATHS[0]))
        self.life(2)
        self.assertEqual([*PATHS], self.owned())

    def test_swept(self) -> None:
        """What the successor has nothing to say of is taken away, and nothing else."""
        self.deploy("gone", "m1")
        self.agents[-1][1].publish("gone", READY)
        self.server.settle()
        self.die()
        self.life(2)
        self.assertNotEqual(None, self.data("/machines/m1/gone"))
        self.run_(self.agents[-1][1].sweep())
        self.server.settle()
        for path in ("/machines/m1/gone", "/services/gone/state/m1", "/services/gone/status/m1"):
            self.assertEqual(None, self.data(path))
        self.assertEqual([*PATHS], self.owned())

    def test_swept_in_part(self) -> None:
        """What is left of a service that the successor says something else of is taken away too."""
        self.deploy("gone", "m1")
        self.agents[-1][1].publish("gone", READY)
        self.server.settle()
        self.die()
        for path in ("/services/gone/state/m1", "/services/gone/status/m1"):
            self.run_(self.client.delete(path))  # as it is when others remove and add it
        self.life(2)
        self.agents[-1][1].publish("gone", Report(Status("finished")))
        self.server.settle()
        self.assertNotEqual(None, self.data("/machines/m1/gone"))
        self.run_(self.agents[-1][1].sweep())
        self.server.settle()
        self.assertEqual(None, self.data("/machines/m1/gone"))
        self.assertNotEqual(None, self.data("/services/gone/status/m1"))
        self.assertEqual([*PATHS], self.owned())
