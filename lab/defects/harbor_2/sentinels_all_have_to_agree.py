"""The quorum of the Sentinels is as many as there are: with one of them lost nobody is made primary any more."""

from lab.defects import Defect
from lab.stores import redis_sentinel

DEFECT = Defect(
    report="bitnami/charts#8756",
    shows="nothing, until a node is lost that carries the primary and a Sentinel: nobody can sign in until it is back",
    turns_red=frozenset({"sessions.sentinels-can-elect"}),
    hint_says=("quorum",),
    plant_outside=lambda lab: redis_sentinel.need_sentinels(len(redis_sentinel.SENTINELS)),
    heal_outside=lambda lab: redis_sentinel.need_sentinels(redis_sentinel.QUORUM),
)
