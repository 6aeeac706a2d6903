"""What both frameworks know: an interface."""

from zope.interface import Interface


class IGreeting(Interface):
    """Greets."""

    async def greet(name: str) -> str:
        """The words for somebody."""
