"""Redis vouches for a layer that is gone: a garbage collection ended before it emptied the registry's cache."""

from lab.defects import Defect, left_images

_plant, _restore = left_images.damaged("rm data")

DEFECT = Defect(
    report="h#22571; distribution 4269",
    shows="HEAD is 200, a push says that the layer already exists, and no pull of it ever ends",
    turns_red=frozenset({"integrity.images-whole", "integrity.redis-vouches-for-what-is-there"}),
    causes=frozenset({"integrity.redis-vouches-for-what-is-there"}),
    layout="reference",
    takes=frozenset({left_images.REPOSITORY}),
    plant_outside=_plant,
    heal_outside=_restore,
)
