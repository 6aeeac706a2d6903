"""Make ``twistd pop`` and ``twistd zookeeper`` known.

Strings only, so that ``twistd --help`` imports nothing of them.
"""

from twisted.application.service import ServiceMaker

pop = ServiceMaker("pop", "pop.daemon", "Pop's agent: runs this machine's services.", "pop")
zookeeper = ServiceMaker(
    "zookeeper", "txzookeeper.tap", "A ZooKeeper of this machine's own, without Java.", "zookeeper"
)
