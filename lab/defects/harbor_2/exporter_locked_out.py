"""The database's password was changed, and the exporter has the one of before."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, container_of
from lab.layouts.harbor_2.metrics import EXPORTER


def _give_the_former(objects: list[Object]) -> None:
    container_of(objects, EXPORTER)["env"] = [{"name": "HARBOR_DATABASE_PASSWORD", "value": "of-before"}]


DEFECT = Defect(
    report="h#22538, of Redis' password",
    shows="Harbor is well and nobody can tell: the exporter ends at each of its starts",
    turns_red=frozenset({"configuration.exporter-tells-the-truth"}),
    hint_says=("HARBOR_DATABASE_", "its log"),
    layout="metrics",
    change=_give_the_former,
    unready=frozenset({EXPORTER}),
)
