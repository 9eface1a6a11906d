"""The folder of the images on CephFS has a quota, and all of it is used."""

from lab.defects import Defect, Lab, whatever_pushes
from lab.stores import ceph

_VOLUME = "apps/harbor-2/registry"
_GIB = 2**30


def _fill(lab: Lab) -> None:
    ceph.fill(_VOLUME, quota_bytes=8 * _GIB, file_bytes=9 * _GIB)


def _empty(lab: Lab) -> None:
    ceph.fill(_VOLUME, quota_bytes=0, file_bytes=0)


DEFECT = Defect(
    report="CephFS: quotas; a registry whose folder is full answers 500",
    shows="each push ends with 500, and what was there is given as ever",
    turns_red=frozenset(
        {
            "capacity.no-volume-full",
            "capacity.volumes-have-room",
            "registry.pushed-on-one-pulled-on-every",
        }
    ),
    # What is left of a page may take a push of a few bytes.
    may_turn_red=whatever_pushes.WITH_RIGHTS_AND_PARTS
    | {
        "registry.upload-continues-on-another-replica",
    },
    hint_says=("enlarge the volume", "collect garbage"),
    causes=frozenset({"capacity.no-volume-full"}),
    plant_outside=_fill,
    heal_outside=_empty,
)
