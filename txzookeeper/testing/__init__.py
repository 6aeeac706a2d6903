"""ZooKeeper for tests."""
