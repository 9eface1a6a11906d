"""What Harbor's core keeps in its database: one module for each kind of record. Nothing here speaks HTTP."""
