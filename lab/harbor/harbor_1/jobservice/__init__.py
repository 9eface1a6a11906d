"""Harbor's jobservice: it starts and answers; it runs no jobs."""
