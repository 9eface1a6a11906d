"""A real, highly available Harbor on one machine: Kubernetes, CephFS, a database cluster, Redis with Sentinel, Harbor.

The rest of the repository sees only what this package's `__main__` offers on the command line and what
`lab.cluster` offers in Python; the lab itself imports nothing of the suite.
"""
