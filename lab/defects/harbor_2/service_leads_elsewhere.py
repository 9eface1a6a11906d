"""The Service of the portal chooses all of Harbor's pods, because the line that says which part got lost."""

from lab.defects import Defect
from lab.deployment.manifests.objects import Object, find


def _choose_all(objects: list[Object]) -> None:
    del find(objects, "Service", "harbor-portal")["spec"]["selector"]["component"]


DEFECT = Defect(
    report="none is known; a selector that was shortened by hand",
    shows="the page comes one time of five, and else a 404 of another part",
    turns_red=frozenset({"configuration.services-select-every-ready-replica"}),
    may_turn_red=frozenset(
        {"configuration.front-door-answers-on-every-node", "sessions.browser-session-through-front-door"}
    ),
    causes=frozenset({"configuration.services-select-every-ready-replica"}),
    hint_says=("selector", "labels"),
    change=_choose_all,
)
