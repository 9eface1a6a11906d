"""The manifests of `deploy/`, read and filled in for the lab."""
