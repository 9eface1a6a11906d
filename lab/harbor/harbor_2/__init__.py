"""The stand-in for Harbor 2.x: core, jobservice and registryctl, as the Helm chart runs them."""
