"""Harbor on the lab's Kubernetes: images, manifests, and their rollout."""
