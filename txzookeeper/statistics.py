"""What a client has done so far, in numbers that a program can export."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Statistics:
    """Counters since the client was made; they only grow.

    Latencies are in seconds, from the turn in which a request left to its answer.
    """

    requests: int = 0
    """Requests sent, pings and handshakes not counted."""

    replies: int = 0
    """Answers to them, refusals included."""

    refusals: int = 0
    """Answers that were an error of ZooKeeper's."""

    lost: int = 0
    """Requests whose answer was lost with the connection."""

    events: int = 0
    """Watch events received."""

    bytes_sent: int = 0
    bytes_received: int = 0

    latency: float = 0.0
    """The sum of all answers' latencies; divided by ``replies`` it is the mean."""

    longest_latency: float = 0.0

    connections: int = 0
    """Connections on which a server let us in; all but the first are reconnections."""

    sessions: int = 0
    """Sessions opened; all but the first replace an expired one."""

    def as_dict(self) -> dict[str, int | float]:
        """Give all of them by name."""
        return asdict(self)
