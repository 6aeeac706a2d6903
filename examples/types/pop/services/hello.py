"""A service type of your own: a page that greets."""

from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.web.server import Site
from twisted.web.static import Data
from zope.schema import Int, TextLine

from pop.interfaces import ISettings
from pop.program import PythonType


class IHelloSettings(ISettings):
    greeting = TextLine(title="What the page says", default="Hello!")
    port = Int(title="Port to listen on; 0 for any free one", min=0, max=65535, default=0)


class Hello(PythonType):
    name = "hello"
    summary = "A page that greets."
    settings = IHelloSettings

    async def start(self, reactor, settings):
        page = Data(settings.greeting.encode(), "text/plain; charset=utf-8")
        page.isLeaf = True
        endpoint = TCP4ServerEndpoint(reactor, settings.port, interface="127.0.0.1")
        port = await endpoint.listen(Site(page))
        return {"port": port.getHost().port}


hello = Hello()
