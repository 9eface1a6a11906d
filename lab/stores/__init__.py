"""What Harbor stands on outside Kubernetes: Ceph, Galera, PostgreSQL with Patroni, Redis with Sentinel, HAProxy."""
