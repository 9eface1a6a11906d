"""One bit of a layer's file is another one: storage that decays unnoticed."""

from lab.defects import Defect, left_images

_AT = 50
_FLIPPED = left_images.LAYER[_AT] ^ 1
_plant, _restore = left_images.damaged(
    f"printf '\\{_FLIPPED:03o}' | dd of=data bs=1 seek={_AT} conv=notrunc status=none"
)

DEFECT = Defect(
    report="distribution verifies nothing on its way out; seen wherever storage decays",
    shows="a pull gets every byte, and docker says that the layer has another digest",
    turns_red=frozenset({"integrity.images-whole"}),
    layout="reference",
    takes=frozenset({left_images.REPOSITORY}),
    plant_outside=_plant,
    heal_outside=_restore,
)
