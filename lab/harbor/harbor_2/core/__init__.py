"""Harbor's core: API, sessions, token service, and the door to the registry."""
