"""The door to the registry: /v2/ as clients see it. Who may come in, and who answers: core itself or the registry."""
