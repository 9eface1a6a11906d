"""A blob lies in the volume that the database does not know: the database was restored from before it was pushed."""

from lab.defects import Defect, Lab, left_images

_CONTENT = "a layer of before the restore"
_NUMBER = left_images.digest_of(_CONTENT.encode()).partition(":")[2]
_FOLDER = f"/storage/docker/registry/v2/blobs/sha256/{_NUMBER[:2]}/{_NUMBER}"


def _put(lab: Lab) -> None:
    script = (
        f"mkdir -p {_FOLDER} && printf '{_CONTENT}' > {_FOLDER}/data && touch -d '2 days ago' {_FOLDER}/data"
    )
    left_images.in_volume(lab, script)


def _take(lab: Lab) -> None:
    left_images.in_volume(lab, f"rm -rf {_FOLDER}")


DEFECT = Defect(
    report="h#23178, h#17251",
    shows="space that no garbage collection ever frees",
    turns_red=frozenset({"integrity.storage-holds-what-the-database-knows"}),
    layout="reference",
    plant_outside=_put,
    heal_outside=_take,
)
