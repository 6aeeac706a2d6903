"""A service type of your own: a program, here the web server that comes with Python."""

import sys

from zope.schema import Int, TextLine

from pop.interfaces import ISettings
from pop.program import Program, ProgramType


class IFilesSettings(ISettings):
    root = TextLine(title="Directory to serve")
    port = Int(title="Port to listen on", min=1, max=65535, default=8000)


class Files(ProgramType):
    name = "files"
    summary = "The files of a directory, over HTTP."
    settings = IFilesSettings

    def program(self, settings, instance):
        argv = (sys.executable, "-m", "http.server", "--directory", settings.root)
        return Program((*argv, str(settings.port)), state={"port": settings.port})


files = Files()
