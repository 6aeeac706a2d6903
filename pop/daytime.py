"""The time of day, as people and programs read it."""

from datetime import UTC, datetime


def iso_time(seconds: float) -> str:
    """A time since the epoch in ISO 8601, UTC, to the millisecond."""
    when = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return when.replace("+00:00", "Z")
