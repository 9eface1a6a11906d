"""Harbor's registryctl, the second container of a registry's pod: deletes what the registry itself never deletes."""
