"""What can go wrong with configurations: each docstring is what people read."""

from pop.components.errors import BundleException


class BadPid(BundleException, ValueError):
    """ "{pid}" cannot be the PID of a configuration: {reason}."""


class BadConfiguration(BundleException, ValueError):
    """The configuration {pid} cannot be that: {reason}."""


class ConfigurationGone(BundleException, ValueError):
    """The configuration {pid} was deleted."""


class NotKept(BundleException):
    """The configuration {pid} stays as it was, since it cannot be {deed}: {reason}."""


class NotReloaded(BundleException):
    """The configuration {pid} cannot be read again: {reason}."""


def reason_of(error: BaseException | None) -> str:
    """What to tell people of an error from elsewhere."""
    said = error.strerror if isinstance(error, OSError) else str(error)
    return (said or type(error).__name__).rstrip(".")
