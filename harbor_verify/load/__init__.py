"""Load beside the probes (`--load N`): N clients pull and push, by Locust, in a process of its own.

Locust replaces the threads and sockets of its process by gevent's, which would change what the probes measure.
"""
