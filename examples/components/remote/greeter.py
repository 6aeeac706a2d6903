"""A component that can be called from other frameworks."""

from greeting import IGreeting
from zope.interface import implementer

from pop.components import ComponentFactory, Instantiate, Property, Provides


@ComponentFactory("greeter")
@Provides(IGreeting)
@Property("exported", "service.exported.interfaces", "*")
@Property("name", "endpoint.name", "greeter")
@Instantiate("greeter")
@implementer(IGreeting)
class Greeter:
    """Greets whoever calls."""

    async def greet(self, name: str) -> str:
        """The words for somebody."""
        if not name:
            raise ValueError("Nobody is to be greeted")
        return f"Good evening, {name}"
