"""A garbage collection was killed in its sweep: the database says of a blob that it is being deleted."""

from lab.defects import Defect, Lab, left_images

_DIGEST = left_images.digest_of(b"a layer that was to be deleted")


def _mark(lab: Lab) -> None:
    lab.sql(
        f"""INSERT INTO blob (digest, size, status, update_time)
            VALUES ('{_DIGEST}', 30, 'deleting', CURRENT_TIMESTAMP - interval '3 hours')
            ON CONFLICT (digest) DO UPDATE SET status = 'deleting', update_time = EXCLUDED.update_time"""
    )


def _clear(lab: Lab) -> None:
    lab.sql(f"DELETE FROM blob WHERE digest = '{_DIGEST}'")


DEFECT = Defect(
    report="h#23116; pkg/blob: none, delete, deleting",
    shows="who pushes that layer is told 404 for up to two hours; every later garbage collection passes it over",
    turns_red=frozenset({"integrity.no-blob-left-deleting"}),
    plant_outside=_mark,
    heal_outside=_clear,
)
