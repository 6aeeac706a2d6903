"""What runs everywhere is asked again and again, whatever becomes of ZooKeeper or an agent."""

from typing import cast

from twisted.internet.defer import Deferred, TimeoutError

from pop.admin import Administrator
from pop.cli.board import Board
from pop.cli.reach import Agents
from pop.cli.top import Rounds
from pop.errors import NotConnected, NotInitialised
from pop.model import Machine
from pop.test.clusters import ClusterTestCase
from pop.test.scripted import Scripted


class Connected(Scripted):
    """An agent at the other end of a connection."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = [{"slot": "web", "phase": "ready"}]
        self.lost: Deferred[None] = Deferred()
        self.closed = False

    def close(self) -> None:
        """End the connection."""
        self.closed = True


class RoundsTests(ClusterTestCase):
    """A machine m1 whose agent can be reached, and m2 where none is."""

    def begin(self) -> None:
        super().begin()
        for id in ("m1", "m2"):
            self.put(f"/machines/{id}", Machine(id, f"host-{id}").to_json())
        self.connections: list[Connected] = []
        self.network = self.server.network()
        self.watcher = self.connect(self.network)
        self.agents = Agents(self.reach, self.clock)
        self.rounds = Rounds(self.watcher, self.agents, 5.0, "zk:1")

    async def reach(self, machine: str) -> Administrator:
        """The way to an agent."""
        if machine == "m2":
            raise NotConnected(machine=machine)
        self.connections.append(Connected())
        return cast(Administrator, self.connections[-1])

    def look(self) -> Board:
        """One more round."""
        return self.run_(self.rounds.look())

    def test_round(self) -> None:
        """All machines are asked; who is not there is named."""
        board = self.look()
        self.assertEqual([("host-m1", "web", "ready")], [row[:3] for row in board.rows()])
        self.assertEqual([str(NotConnected(machine="host-m2"))], board.notes())

    def test_connections_are_kept(self) -> None:
        """A connection serves all rounds; one that broke is made again; all are closed."""
        self.look()
        self.look()
        [first] = self.connections
        first.lost.callback(None)
        self.look()
        _, second = self.connections

        async def leave() -> None:
            async with self.agents:
                pass

        self.run_(leave())
        self.assertEqual((False, True), (first.closed, second.closed))

    def test_new_machine(self) -> None:
        """A machine that is new is asked, too."""
        self.look()
        self.put("/machines/m3", Machine("m3", "new").to_json())
        self.assertEqual({"host-m1", "new"}, {row[0] for row in self.look().rows()})

    def test_zookeeper_away(self) -> None:
        """While ZooKeeper is away, those that are known are asked, and that is said."""
        self.look()
        self.network.refuse_connections()
        self.network.drop_connections()
        board = self.look()
        self.assertEqual(1, len(board.rows()))
        self.assertIn("ZooKeeper", board.notes()[-1])
        self.network.accept_connections()
        self.clock.advance(30)
        self.assertEqual(1, len(self.look().notes()))

    def test_no_namespace(self) -> None:
        """Where there is no namespace, or never was a connection, that is the answer."""
        nowhere = Rounds(self.connect(prefix="/nowhere"), self.agents, 5.0, "zk:1")
        self.fails(NotInitialised, nowhere.look())
        self.network.drop_connections()
        self.network.refuse_connections()
        self.fails(TimeoutError, self.rounds.look())
        self.network.accept_connections()
