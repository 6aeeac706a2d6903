"""ZooKeeper for Twisted: a native client, without threads."""
