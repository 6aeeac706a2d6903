"""Let pop run your services.

All target state lives in ZooKeeper; an agent on every machine makes it so and keeps it so.
"""
