"""Two ZooKeeper servers are asked the same, and have to answer the same, down to the last field.

`steps` says what can be done to a server, `choices` draws such steps at random, `wires` are raw
connections to the embedded server in memory and to a real one, `views` makes answers comparable,
and `stage` plays the steps on both. ``python -m txzookeeper.testing.differential`` does it for
as long as one likes, beside a real ZooKeeper that it starts.
"""
