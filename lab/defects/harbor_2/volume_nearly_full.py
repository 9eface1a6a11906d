"""The folder of the images on CephFS has a quota, and nearly all of it is used."""

from lab.defects import Defect, Lab
from lab.stores import ceph

_VOLUME = "apps/harbor-2/registry"
_GIB = 2**30


def _fill(lab: Lab) -> None:
    # What is left is more than all checks push together.
    ceph.fill(_VOLUME, quota_bytes=40 * _GIB, file_bytes=37 * _GIB)


def _empty(lab: Lab) -> None:
    ceph.fill(_VOLUME, quota_bytes=0, file_bytes=0)


DEFECT = Defect(
    report="CephFS: quotas; a registry whose folder is full answers 500",
    shows="nothing, until the rest is used: then every push ends with 500",
    turns_red=frozenset({"capacity.volumes-have-room"}),
    hint_says=("collect garbage",),
    plant_outside=_fill,
    heal_outside=_empty,
)
