"""Harbor's configuration store."""
