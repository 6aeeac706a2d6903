"""Two ZooKeeper servers are asked the same, and have to answer the same, down to the last field.

`steps` says what can be done to a server, `requests` and `choices` draw it at random. `wires` are
raw connections, `stage` a server with the clients that use them, and `views` make what they hear
comparable. `play` takes the steps on a real server, which the `caretaker` has prepared, and on the
`embedded` one.

``python -m txzookeeper.testing.differential`` does it for as long as one likes, beside a real
ZooKeeper that it starts.
"""
