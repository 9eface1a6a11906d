"""Stand-ins for Harbor's own programs, a folder a generation: harbor_1 and harbor_2.

They run in the place of their images, which cannot be had without the internet: on Debian's python3 and Debian's
packages only, with relative imports, because inside the images this package lies alone at /harbor/standin.
"""
