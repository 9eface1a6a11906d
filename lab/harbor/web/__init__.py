"""HTTP as the three programs speak it: requests, responses, and a server with a thread for each connection."""
