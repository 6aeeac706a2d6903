"""What can go wrong between frameworks: each docstring is what people read."""

from pop.components.errors import BundleException


class BadEndpoint(BundleException):
    """That is no description of an endpoint: {reason}."""


class NotExported(BundleException):
    """The registration {id} is not exported: its properties say so, or it is gone."""


class NameInUse(BundleException):
    """The registration {id} cannot be exported as "{name}": another endpoint has that name."""


class NoProvider(BundleException):
    """Nothing here can {deed} {what} ({configs}). Start the bundle pop.components.remote.transport,
    or another that can."""
