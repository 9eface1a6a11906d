"""Harbor's web interface, API, and token service."""
