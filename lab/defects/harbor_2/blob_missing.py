"""A layer of an image that was pushed is gone from the volume, and Redis does not vouch for it either."""

from lab.defects import Defect, Lab, left_images

_take, _restore = left_images.damaged("rm data")


def _plant(lab: Lab) -> None:
    _take(lab)
    left_images.forget(left_images.DIGEST)


DEFECT = Defect(
    report="h#19988, h#22571",
    shows="the image is listed, and every pull of it fails with 404 for a layer",
    turns_red=frozenset({"integrity.images-whole"}),
    layout="reference",
    takes=frozenset({left_images.REPOSITORY}),
    plant_outside=_plant,
    heal_outside=_restore,
)
