"""The run model and its renderers. Runs land in runs/, which is no part of the sources."""
