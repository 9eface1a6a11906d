"""Harbor's jobservice: keeps jobs in Redis, runs them on whichever replica is free, keeps their logs.

Of Harbor's jobs it knows one, the garbage collection.
"""
