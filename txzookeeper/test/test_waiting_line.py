"""Who comes first in a line, and whom one waits for."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from txzookeeper.test.stage import StageTestCase
from txzookeeper.waiting_line import (
    Ticket,
    among_first,
    behind_all,
    behind_kind,
    identifiers,
    in_order,
    tickets,
)


def name(number: int, kind: str = "lock", token: int = 7) -> str:
    """Give a name as it is in a line."""
    return f"{kind}-{token:016x}-{number:010d}"


class OrderTests(SynchronousTestCase):
    """The order of names."""

    def test_numbers(self) -> None:
        """The number decides, whatever is before it."""
        names = [name(10, "b", 1), name(9, "c", 2), name(11, "a", 3)]
        self.assertEqual([each.number for each in in_order(names)], [9, 10, 11])
        self.assertEqual(in_order([names[0]]), [Ticket(names[0], "b", f"{1:016x}", 10)])

    def test_other_names(self) -> None:
        """Nodes that are no tickets are left out."""
        names = ["x", "lock-0000000001", name(1) + "0", name(1).upper(), "receipt"]
        self.assertEqual(in_order(names), [])

    def test_overflow(self) -> None:
        """After the highest number the server goes on with the lowest, and so does the order."""
        last, first = 2**31 - 1, -(2**31)
        names = [name(number) for number in (first + 1, last, first, last - 1)]
        self.assertEqual(names[2][-12:], "--2147483648")
        numbers = [each.number for each in in_order(names)]
        self.assertEqual(numbers, [last - 1, last, first, first + 1])
        numbers = [each.number for each in in_order([name(0), name(-2), name(-1), name(1)])]
        self.assertEqual(numbers, [-2, -1, 0, 1])


class RuleTests(SynchronousTestCase):
    """Whom one waits for."""

    def setUp(self) -> None:
        """Have some before us."""
        names = ((1, "read"), (2, "write"), (3, "read"), (4, "read"))
        self.before = in_order(name(number, kind) for number, kind in names)

    def test_all(self) -> None:
        """Who waits for everybody waits for the last one."""
        self.assertEqual(behind_all(self.before), self.before[3:])
        self.assertEqual(behind_all([]), [])

    def test_kind(self) -> None:
        """Who waits for a kind waits for the last one of that."""
        self.assertEqual(behind_kind("write")(self.before), self.before[1:2])
        self.assertEqual(behind_kind("other")(self.before), [])

    def test_first(self) -> None:
        """Who may be among the first few waits for as many as these are, or for nobody."""
        for count, expected in ((1, 1), (3, 3), (4, 4), (5, 0)):
            self.assertEqual(len(among_first(count)(self.before)), expected)


class LineTests(StageTestCase):
    """Lines on a server."""

    def test_nobody(self) -> None:
        """A line that is not there is empty."""
        self.assertEqual(self.run_work(tickets(self.client, "/line")), [])

    def test_identifiers(self) -> None:
        """Those in line are told by their data, in order, and only as many as are asked for."""
        self.run_work(self.client.create("/line"))
        for number in (3, 1, 2):
            self.run_work(self.client.create(f"/line/{name(number)}", b"%d" % number))
        self.assertEqual(self.run_work(identifiers(self.client, "/line")), [b"1", b"2", b"3"])
        self.assertEqual(self.run_work(identifiers(self.client, "/line", 1)), [b"1"])

    def test_gone_meanwhile(self) -> None:
        """Who leaves while the others are asked for is left out."""
        self.run_work(self.client.create("/line"))
        for number in (1, 2):
            self.run_work(self.client.create(f"/line/{name(number)}", b"%d" % number))

        async def asked() -> list[bytes]:
            listed = self.client.get_children("/line")
            self.client.delete(f"/line/{name(1)}")
            await listed
            return await identifiers(self.client, "/line")

        self.assertEqual(self.run_work(asked()), [b"2"])
