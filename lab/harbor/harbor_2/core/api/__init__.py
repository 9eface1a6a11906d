"""/api/v2.0: projects, members, repositories, artifacts, quotas, robots, garbage collection, statistics, users."""
