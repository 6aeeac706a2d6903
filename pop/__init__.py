"""Let pop run your services.

All target state lives in ZooKeeper; an agent on every machine makes it so and keeps it so.
"""

__version__ = "13.0.0.dev0"
