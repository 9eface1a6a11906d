"""Clients of a registry that are programs of others, beside docker: each pushes, and reads what others pushed."""
