"""The tutorial, live: each command as you would type it, and what it says.

    python examples/tutorial.py [--once] [--zookeeper HOST:PORT[/chroot]]

It uses the ZooKeeper at localhost:2181 if one answers there, and else starts the embedded one. All
that it does lies under /pop-tutorial, and all of it is removed in the end.
"""

import sys

from interruption import Interruption

if __name__ == "__main__":
    interruption = Interruption()
    from tour import main  # after that, as it may be Ctrl-C that ends the imports

    sys.exit(main(sys.argv[1:], interruption))
