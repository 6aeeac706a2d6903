"""A service type with tasks: pages that are published by name."""

import shutil
import sys
from pathlib import Path

from zope.interface import Interface
from zope.schema import Bool, Int, TextLine, Tuple

from pop.interfaces import ISettings
from pop.program import Program, ProgramType
from pop.tasks import task


class IPagesSettings(ISettings):
    port = Int(title="Port to listen on", min=1, max=65535, default=8000)


class IFiles(Interface):
    files = Tuple(title="Files of that machine", value_type=TextLine(), min_length=1)
    replace = Bool(title="Replace pages of the same names", default=False)


class IPort(Interface):
    port = Int(title="Port to listen on", min=1, max=65535)


class Pages(ProgramType):
    name = "pages"
    summary = "Pages, over HTTP."
    settings = IPagesSettings

    def program(self, settings, instance):
        return Program((sys.executable, "-m", "http.server", str(settings.port)))

    @task("Publish files as pages.", IFiles)
    def publish(self, run, files, replace):
        """They are copied, so the originals may go away."""
        for number, file in enumerate(files, 1):
            page = run.directory / Path(file).name
            if page.exists() and not replace:
                print(f"There is a page {page.name} already.", file=sys.stderr)
                return 1
            shutil.copy(file, page)
            run.progress(number, len(files), page.name)
        return 0

    @task("List the pages.", where="once", changes=False)
    def pages(self, run):
        for page in sorted(run.directory.iterdir()):
            print(f"{page.stat().st_size:8} {page.name}")

    @task("Have the pages be served at another port.", IPort)
    def move(self, run, port):
        run.record({"port": port})


pages = Pages()
