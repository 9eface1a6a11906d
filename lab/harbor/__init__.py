"""A stand-in for the three programs of Harbor 1.2: ui, adminserver and jobservice.

It runs in the place of their images, which cannot be had without the internet: on Debian's python3 and Debian's
packages only, with relative imports, because inside the images it lies alone at /harbor/standin.
"""
