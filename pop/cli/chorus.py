"""Many logs as one text: whole lines, each labelled with whose it is."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from zope.interface import implementer

from pop.interfaces import IOutput
from pop.model import dump

LONGEST = 1 << 20
"""Bytes of a line that are waited for; a longer one is cut, since memory has an end."""

Write = Callable[[bytes], "Deferred[None]"]


class Text:
    """What one instance writes, on its way to be lines among others'.

    @param label: stands before each line.
    """

    def __init__(self, label: str) -> None:
        self._label = label.encode()
        self._rest = b""

    def take(self, data: bytes) -> bytes:
        """The lines that are whole now."""
        whole, end, rest = data.rpartition(b"\n")
        if not end:
            self._rest += data
            return self.rest() if len(self._rest) > LONGEST else b""
        whole, self._rest = self._rest + whole, rest
        return self.told(whole)

    def rest(self) -> bytes:
        """What may become a line, as one."""
        rest, self._rest = self._rest, b""
        return self.told(rest) if rest else b""

    def told(self, lines: bytes) -> bytes:
        """Lines as they are printed; the last comes without its end."""
        return self._label + lines.replace(b"\n", b"\n" + self._label) + b"\n"


class Record(Text):
    """The same for scripts: each line is a JSON object.

    @param whose: what stands in each.
    """

    def __init__(self, **whose: str) -> None:
        super().__init__("")
        self._whose = whose

    def told(self, lines: bytes) -> bytes:
        """See L{Text.told}; bytes that are no text are replaced."""
        texts = lines.decode("utf-8", "replace").split("\n")
        return b"".join(dump({**self._whose, "line": text}) + b"\n" for text in texts)


class Chorus:
    """What instances on any number of machines write, as one text.

    Nothing is labelled while there is but one of them: what it writes is passed on as it comes.

    @param write: takes the text; whoever writes waits for what it returns.
    @param machines: whether there are several, so that lines are labelled with theirs.
    @param slots: whether an instance may have several processes, so that theirs are named.
    """

    def __init__(self, write: Write, *, machines: bool, slots: bool) -> None:
        self._write = write
        self._machines = machines
        self._slots = slots
        self._texts: dict[tuple[str, str], Text] = {}
        self._broken = False

    def voice(self, machine: str) -> "Voice":
        """Who takes what is written on a machine."""
        return Voice(self.sing, machine)

    def sing(self, machine: str, slot: str, data: bytes) -> "Deferred[None]":
        """Pass on what a slot wrote."""
        key = machine, slot
        text = self._texts.get(key)
        begin = b""
        if text is None:
            if self._texts and not (self._machines or self._slots):
                begin = self._tell_apart(slot)
            text = self._texts[key] = self.text(machine, slot)
        if self._machines or self._slots:
            return self._write(begin + text.take(data))
        self._broken = not data.endswith(b"\n")
        return self._write(data)

    def end(self) -> "Deferred[None]":
        """Pass on what may have become lines, too: nobody goes on."""
        return self._write(b"".join(text.rest() for text in self._texts.values()))

    def _tell_apart(self, slot: str) -> bytes:
        """One has been joined by another: from now on they are labelled."""
        [(_, first)] = self._texts
        self._slots = first != slot
        self._machines = first == slot
        self._texts = {key: self.text(*key) for key in self._texts}
        return b"\n" if self._broken else b""

    def text(self, machine: str, slot: str) -> Text:
        """What becomes of what a slot writes."""
        words = [machine] * self._machines + [slot] * self._slots
        return Text(f"{' '.join(words)} | " if words else "")


class Records(Chorus):
    """The same for scripts."""

    def __init__(self, write: Write) -> None:
        super().__init__(write, machines=True, slots=True)

    def text(self, machine: str, slot: str) -> Text:
        """See L{Chorus.text}."""
        return Record(machine=machine, process=slot)


@implementer(IOutput)
class Voice:
    """One machine's part in what many write.

    @param take: (machine, source, data): takes all of it.
    """

    def __init__(self, take: Callable[[str, str, bytes], "Deferred[None]"], machine: str) -> None:
        self._take = take
        self._machine = machine

    def write(self, source: str, data: bytes) -> "Deferred[None]":
        """See L{IOutput.write}."""
        return self._take(self._machine, source, data)
