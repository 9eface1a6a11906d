"""A layer's file is shorter than it was: the volume was full, or a node died, while it was written."""

from lab.defects import Defect, left_images

_plant, _restore = left_images.damaged("head -c 100 data > cut && mv cut data")

DEFECT = Defect(
    report="distribution reports 3018 and 4269: partial files after a crash",
    shows="HEAD tells the whole length; a pull breaks off, again and again",
    turns_red=frozenset({"integrity.images-whole"}),
    layout="reference",
    takes=frozenset({left_images.REPOSITORY}),
    plant_outside=_plant,
    heal_outside=_restore,
)
