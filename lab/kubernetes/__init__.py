"""Kubernetes on the lab's machines: control plane, nodes, DNS, certificates."""
