"""A component that provides: the bundle C{provider} of the guide."""

from pop.components import ComponentFactory, Instantiate, Provides


@ComponentFactory("hello-provider-factory")
@Provides("sample.hello")
@Instantiate("hello-provider-auto")
class HelloProvider:
    """Says hello, and goodbye."""

    def hello(self, name: str = "world") -> None:
        """Say hello."""
        print("Hello,", name, "!")

    def bye(self, name: str = "cruel world") -> None:
        """Say goodbye."""
        print("Bye,", name, "!")
