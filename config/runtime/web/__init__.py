"""The web server: waitress, with a time limit on all that a client may keep it waiting for.

One thread reads and writes all connections, so that a client that drips its request or leaves its
answer unread holds none of the threads that work. What is told apart by its address: see
`config.lib.request_handling`.
"""
