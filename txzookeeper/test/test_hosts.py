"""Connection strings and paths are read, or refused with a sentence."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from txzookeeper.errors import BadArgumentsException
from txzookeeper.hosts import Host, Hosts, parse_hosts
from txzookeeper.path import check_path, to_client, to_server


class HostsTests(SynchronousTestCase):
    """Server lists."""

    def test_good(self) -> None:
        """Names, ports, IPv6 addresses and a chroot are understood."""
        self.assertEqual(
            parse_hosts("a:1, b,[::1]:3,[fe80::1]/x/y/"),
            Hosts((Host("a", 1), Host("b", 2181), Host("::1", 3), Host("fe80::1", 2181)), "/x/y"),
        )
        self.assertEqual(parse_hosts("a/"), Hosts((Host("a", 2181),), ""))

    def test_written(self) -> None:
        """A host is written as it is read."""
        self.assertEqual([str(Host("a", 1)), str(Host("::1", 2))], ["a:1", "[::1]:2"])

    def test_bad(self) -> None:
        """Each mistake is a ValueError with a sentence."""
        for servers in (
            *("", ",", "a,,b", ":2181", "a:", "a:x", "a:0", "a:65536", "a:-1", "a b:1", "/x"),
            *("a:99999999999999999999", "::1", "fe80::1:2181", "[::1", "[::1]2181", "[]:1", "a:²"),
            *("a//x", "a/x/../y", "a/\0"),
        ):
            error = self.assertRaises(ValueError, parse_hosts, servers)
            self.assertRegex(str(error), r"(?s)^[A-Z].*\.$|2181, not")


class PathTests(SynchronousTestCase):
    """Paths."""

    def test_good(self) -> None:
        """What ZooKeeper allows is allowed."""
        for path in ("/", "/a", "/a/b.c", "/...", "/a/.b", "/ä/日本", "/ "):
            check_path(path)
        check_path("/a/", sequence=True)

    def test_bad(self) -> None:
        """What ZooKeeper forbids is refused, with the path in the error."""
        for path in ("", "a", "/a/", "//", "/a//b", "/.", "/a/..", "/a/./b", "/\x1f", "/\ue000"):
            error = self.assertRaises(BadArgumentsException, check_path, path)
            self.assertEqual(error.path, path)
        self.assertRaises(BadArgumentsException, check_path, "/😀")
        self.assertRaises(BadArgumentsException, check_path, b"/a")

    def test_chroot(self) -> None:
        """A chroot is put before a path and taken away again."""
        for path in ("/", "/a", "/a/b"):
            self.assertEqual(to_client("/x", to_server("/x", path)), path)
            self.assertEqual(to_client("", to_server("", path)), path)
        self.assertEqual(to_server("/x", "/"), "/x")
        self.assertEqual(to_client("/x", "/xy"), "/xy")
