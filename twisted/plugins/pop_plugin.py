"""Make ``twistd pop`` known. Strings only, so that ``twistd --help`` imports nothing of pop."""

from twisted.application.service import ServiceMaker

pop = ServiceMaker("pop", "pop.tap", "Pop's agent: runs this machine's services.", "pop")
