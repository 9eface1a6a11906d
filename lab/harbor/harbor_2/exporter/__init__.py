"""Harbor's exporter: it tells Prometheus of Harbor as a whole."""
