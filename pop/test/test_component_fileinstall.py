"""Folders that are watched."""

import os
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorThreads, IReactorTime
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from zope.interface import directlyProvides

from pop.components import fileinstall
from pop.components.contents import Contents
from pop.components.errors import NotStarted
from pop.components.fileinstall import FileInstall, NotWatching
from pop.components.framework import Framework
from pop.test.bundles import BundleCase


class Listener:
    """Notes what it is told.

    @ivar result: is returned.
    """

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.result: Any = None

    def folder_change(self, folder: str, *names: list[str]) -> Any:
        """For the watch: three lists."""
        self.told.append(tuple(" ".join(each) for each in names))
        names[0].append("spoiled")
        return self.result

    def take(self) -> list[Any]:
        """(added, updated, deleted) since the last time."""
        told, self.told = self.told, []
        return told


class WatchCase(BundleCase):
    """A framework that watches folders, and a folder."""

    def setUp(self) -> None:
        super().setUp()
        self.bundle = self.context.install_bundle(fileinstall.__name__)
        self.done(self.bundle.start())
        self.addCleanup(lambda: self.assertEqual([], self.clock.getDelayedCalls()))
        self.addCleanup(self.framework.stop)
        reference = self.context.get_service_reference(fileinstall.SERVICE_FILEINSTALL)
        assert reference is not None
        self.watch: FileInstall = self.context.get_service(reference)
        self.folder = self.path / "watched"
        self.folder.mkdir()

    def hear(self, folder: str = "", **properties: Any) -> tuple[Listener, Any]:
        """Register somebody who listens to the folder."""
        listener = Listener()
        properties = {"fileinstall.folder": folder or str(self.folder), **properties}
        name = fileinstall.SERVICE_FILEINSTALL_LISTENERS
        return listener, self.context.register_service(name, listener, properties)

    def put(self, name: str, text: str) -> None:
        """Have a file hold something."""
        (self.folder / name).write_text(text)


class WatchTests(WatchCase):
    """What listeners are told."""

    def test_changes(self) -> None:
        """What comes, holds something else, and goes, is told once, at the next look."""
        listener, _ = self.hear()
        self.put("a", "1")
        self.put("b", "1")
        self.assertEqual([], listener.take())
        self.clock.advance(1)
        self.assertEqual([("a b", "", "")], listener.take())
        self.put("a", "2")
        (self.folder / "b").unlink()
        self.put("c", "1")
        self.clock.pump([1, 1, 1])
        self.assertEqual([("c", "a", "b")], listener.take())

    def test_touched(self) -> None:
        """A file that is only touched, or written as it was, is no change."""
        self.put("a", "1")
        listener, _ = self.hear()
        self.clock.pump([1, 1])
        listener.take()
        os.utime(self.folder / "a", (1, 1))
        self.clock.advance(1)
        self.put("a", "1")
        self.clock.advance(1)
        self.assertEqual([], listener.take())

    def test_same_time(self) -> None:
        """A file that holds something else has changed, though its size and time are as before.

        (iPOPO goes by the time alone.)
        """
        self.put("a", "1")
        os.utime(self.folder / "a", (1, 1))
        listener, _ = self.hear()
        self.clock.pump([1, 1, 1])
        listener.take()
        self.put("a", "2")
        os.utime(self.folder / "a", (1, 1))
        self.clock.advance(1)
        self.assertEqual([("", "a", "")], listener.take())

    def test_files_only(self) -> None:
        """Folders within the folder are passed over, and so are files that cannot be read."""
        (self.folder / "sub").mkdir()
        os.mkfifo(self.folder / "fifo")
        (self.folder / "dangling").symlink_to("nowhere")
        listener, _ = self.hear()
        self.clock.pump([1, 1])
        self.assertEqual([], listener.take())

    def test_folder_away(self) -> None:
        """A folder may come later; while it is away, nothing of it has gone."""
        listener, _ = self.hear(str(self.path / "later"))
        self.clock.advance(1)
        self.put("a", "1")
        self.folder.rename(self.path / "later")
        self.clock.advance(1)
        self.assertEqual([("a", "", "")], listener.take())
        (self.path / "later").rename(self.folder)
        self.clock.advance(1)
        self.folder.rename(self.path / "later")
        self.clock.advance(1)
        self.assertEqual([], listener.take())

    def test_another_comes(self) -> None:
        """Who comes later is told of all files that there are; the others, of nothing new.

        (With iPOPO only the first who listens to a folder is told.)
        """
        first, _ = self.hear()
        self.put("a", "1")
        self.clock.advance(1)
        second, _ = self.hear()
        self.clock.advance(1)
        self.assertEqual([("a", "", "")], first.take())
        self.assertEqual([("a", "", "")], second.take())

    def test_moved(self) -> None:
        """Whose registration says another folder is told of that one; who says none, of none; other
        properties change nothing."""
        self.put("a", "1")
        listener, registration = self.hear()
        self.clock.advance(1)
        registration.set_properties({"other": 1})
        self.clock.advance(1)
        self.assertEqual([("a", "", "")], listener.take())
        (self.path / "other").mkdir()
        (self.path / "other" / "b").write_text("1")
        registration.set_properties({"fileinstall.folder": str(self.path / "other")})
        self.clock.advance(1)
        self.assertEqual([("b", "", "")], listener.take())
        registration.set_properties({}, removed=["fileinstall.folder"])
        self.put("c", "1")
        self.clock.advance(1)
        self.assertEqual([], listener.take())

    def test_two_folders(self) -> None:
        """One object may be registered for two folders: each registration moves and ends alone."""
        first, second, third = folders = [self.path / name for name in ("one", "two", "three")]
        for folder in folders:
            folder.mkdir()
        listener, one = self.hear(str(first))
        two = self.context.register_service(
            fileinstall.SERVICE_FILEINSTALL_LISTENERS, listener, {"fileinstall.folder": str(second)}
        )
        one.set_properties({"fileinstall.folder": str(third)})
        for folder in folders:
            (folder / folder.name).write_text("1")
        self.clock.advance(1)
        self.assertEqual([("three", "", ""), ("two", "", "")], sorted(listener.take()))
        one.unregister()
        (second / "more").write_text("1")
        self.clock.advance(1)
        self.assertEqual([("more", "", "")], listener.take())
        self.watch.remove_listener(str(second), listener)
        two.unregister()
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_harmless(self) -> None:
        """Who raises is told of what comes next all the same, and so are others."""
        broken, whole = self.hear()[0], self.hear()[0]
        broken.result = Deferred()
        broken.result.errback(ValueError("broken"))
        self.put("a", "1")
        self.clock.advance(1)
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))
        broken.result = None
        self.put("b", "1")
        self.clock.advance(1)
        for listener in (broken, whole):
            self.assertEqual([("a", "", ""), ("b", "", "")], listener.take())

    def test_slow(self) -> None:
        """Who takes his time is not called meanwhile, and then told everything since; others wait
        for nobody."""
        slow, quick = self.hear()[0], self.hear()[0]
        slow.result = Deferred()
        for name in "abc":
            self.put(name, "1")
            self.clock.advance(1)
        self.assertEqual([("a", "", "")], slow.take())
        self.assertEqual(3, len(quick.take()))
        slow.result, result = None, slow.result
        result.callback(None)
        self.clock.advance(1)
        self.assertEqual([("b c", "", "")], slow.take())

    def test_by_hand(self) -> None:
        """Somebody may listen without being registered, and be told no more."""
        listener, folder = Listener(), str(self.folder)
        self.assertTrue(self.watch.add_listener(folder, listener))
        self.assertFalse(self.watch.add_listener(folder, listener))
        self.assertFalse(self.watch.add_listener("", listener))
        self.put("a", "1")
        self.watch.look()
        self.assertEqual([("a", "", "")], listener.take())
        self.watch.remove_listener(folder, listener)
        self.assertRaises(NotWatching, self.watch.remove_listener, folder, listener)
        self.watch.add_listener(folder, listener)
        self.done(self.bundle.stop())
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_nobody_listens(self) -> None:
        """Without listeners nobody looks, and the end of the bundle is the end of all looking."""
        self.assertEqual([], self.clock.getDelayedCalls())
        _, registration = self.hear()
        self.assertEqual(1, len(self.clock.getDelayedCalls()))
        registration.unregister()
        self.assertEqual([], self.clock.getDelayedCalls())
        listener, _ = self.hear()
        self.done(self.bundle.stop())
        self.put("a", "1")
        self.clock.advance(1)
        self.assertEqual([], listener.take())


class PaceTests(BundleCase):
    """How often folders are looked at."""

    def start(self, **options: Any) -> Any:
        """A framework that watches folders; what has come of it."""
        framework = Framework(environment={}, **options)
        self.done(framework.start())
        self.addCleanup(framework.stop)
        started = framework.install_bundle(fileinstall.__name__).start()
        return framework.get_bundle_context(), started

    def test_pace(self) -> None:
        """The framework's property says it, as a number or a text."""
        for said in (0.5, "0.5"):
            clock = Clock()
            context, started = self.start(clock=clock, properties={"poll.time": said})
            self.done(started)
            listener = Listener()
            context.register_service(
                fileinstall.SERVICE_FILEINSTALL_LISTENERS,
                listener,
                {"fileinstall.folder": str(self.path)},
            )
            (self.path / "a").write_text("1")
            clock.advance(0.4)
            self.assertEqual([], listener.take())
            clock.advance(0.1)
            self.assertEqual([("a", "", "")], listener.take())

    def test_nonsense(self) -> None:
        """What is no number above 0 is refused by name."""
        for said in (-1, "often", "inf", "nan"):
            _, started = self.start(clock=Clock(), properties={"poll.time": said})
            self.assertIn("poll.time should be a number", self.failed(started, NotStarted))

    def test_no_clock(self) -> None:
        """A framework without a clock says that nobody looks."""
        with capturedLogs() as logged:
            _, started = self.start()
        self.done(started)
        self.assertIn("Nobody looks at folders", "".join(str(formatEvent(e)) for e in logged))


class Threads(Clock):
    """A reactor, and its threads, in which something is done when L{work} is called."""

    def __init__(self) -> None:
        super().__init__()
        self.deeds: list[Any] = []

    def getThreadPool(self) -> Any:
        """For L{deferToThreadPool}."""
        return self

    def callInThreadWithCallback(self, done: Any, call: Any, *arguments: Any) -> None:
        """For L{deferToThreadPool}."""
        self.deeds.append(lambda: done(True, call(*arguments)))

    def callFromThread(self, call: Any, *arguments: Any) -> None:
        """For L{deferToThreadPool}."""
        call(*arguments)

    def work(self) -> None:
        """Do what there is to be done in threads."""
        deeds, self.deeds = self.deeds, []
        for deed in deeds:
            deed()


class ThreadTests(BundleCase):
    """Files are read elsewhere."""

    def test_elsewhere(self) -> None:
        """Files, which may be large, are read in a thread where there are some: at most in one at a
        time, and what it sees when nobody listens any more is told nobody.

        (iPOPO has a thread for each folder, and tells in that.)
        """
        threads = Threads()
        directlyProvides(threads, IReactorTime, IReactorThreads)
        framework = Framework(environment={}, clock=threads)
        self.done(framework.start())
        bundle = framework.install_bundle(fileinstall.__name__)
        self.done(bundle.start())
        listener = Listener()
        framework.get_bundle_context().register_service(
            fileinstall.SERVICE_FILEINSTALL_LISTENERS,
            listener,
            {"fileinstall.folder": str(self.path)},
        )
        (self.path / "a").write_text("1")
        threads.pump([1, 1])
        self.assertEqual((1, []), (len(threads.deeds), listener.take()))
        threads.work()
        self.assertEqual([("a", "", "")], listener.take())
        (self.path / "b").write_text("1")
        threads.advance(1)
        self.done(bundle.stop())
        threads.work()
        self.assertEqual([], listener.take())
        self.done(framework.stop())


class ContentsTests(BundleCase):
    """What files hold."""

    def test_read_twice(self) -> None:
        """A file that is marked as before is read once more, since it may have been written twice
        within a tick, and then no more."""
        (self.path / "a").write_text("1")
        holds = [b"1", b"2", b"never read"]
        contents = Contents(self.path, lambda path: holds.pop(0))
        seen = [contents.look()["a"] for _ in range(4)]
        self.assertEqual([b"1", b"2", b"2", b"2"], seen)

    def test_unreadable(self) -> None:
        """A file that cannot be read is as it was."""

        def digest(path: str) -> bytes:
            if self.broken:
                raise PermissionError("not for you")
            return b"1"

        (self.path / "a").write_text("1")
        contents = Contents(self.path, digest)
        self.broken = True
        self.assertEqual({}, contents.look())
        self.broken = False
        before = contents.look()
        self.broken = True
        self.assertEqual({"a": b"1"}, before)
        self.assertEqual(before, contents.look())
