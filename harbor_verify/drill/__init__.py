"""A restore drill: what of the pushes is in a copy of Harbor that was taken while they went on, and how soon it works.

The copy and the restored Harbor are made by the operator's own commands: what they do every night is what is tried.
"""
