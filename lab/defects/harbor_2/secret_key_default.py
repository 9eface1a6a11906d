"""The key that stored passwords are encrypted with is the one that the chart comes with."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, find, put_text


def _leave_it(objects: list[Object]) -> None:
    put_text(find(objects, "Secret", "harbor-core"), "secretKey", "not-a-secure-key")


DEFECT = Defect(
    report="h#12158, h#21282; the chart's default",
    shows="nothing: whoever reads the database can read the passwords of other registries and of the directory",
    turns_red=frozenset({"configuration.secret-key-not-default"}),
    change=_leave_it,
)
