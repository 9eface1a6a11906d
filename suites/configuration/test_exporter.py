"""What tells Prometheus of Harbor as a whole: whether it is there, and whether it is true."""

from collections import defaultdict
from contextlib import suppress

from harbor_verify import scraping
from harbor_verify.checks import SHOULD, check
from harbor_verify.errors import AnswerError, CannotTell, DeadlinePassed
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature
from harbor_verify.model.workloads import is_ready, why_not_ready
from harbor_verify.target import Target
from harbor_verify.waiting import NotYet, wait_until

_MARGIN_S = 7
_OLDEST_S = 60
"""Who goes on telling old values for longer is not waited for."""
_INTERVAL_S = 1


@check(
    "configuration.exporter-tells-the-truth",
    hint="Alerts on Harbor's health stand on this. No answer: its log; without the database (HARBOR_DATABASE_…; the "
    "chart: database.external) it ends at its start. No health: it asks HARBOR_SERVICE_HOST and HARBOR_SERVICE_PORT, "
    "which have to lead to the {web}, and gives nothing where it gets nothing: alert on `absent(harbor_health)`, too. "
    "Another number of projects, 0 above all: its password is of before a change, or it counts in another database: it "
    "says so in its log alone. Then `kubectl rollout restart` of it.",
    source="Harbor: harbor_health, harbor_up, harbor_statistics_…; HARBOR_EXPORTER_CACHE_TIME",
    requires=(Feature.METRICS, Feature.HEALTH_REPORT),
    severity=SHOULD,
    builds_on=("configuration.health-body-is-healthy",),
)
def test_the_exporter_tells_what_the_api_tells(harbor: Target, findings: Findings, not_applicable, measured):
    """Every pod of the exporter answers, and tells of health, components and projects what Harbor's API tells.

    Source: both are asked side by side until they agree, for as long as it may go on telling old values, and 7 s more;
    what Harbor's API has said at any time meanwhile counts as true.
    """
    found = scraping.exporters(harbor)
    if not found:
        not_applicable("nothing tells Prometheus of Harbor as a whole: there is no exporter")
    said, told, oldest_s = _Said(harbor), {}, 0
    for exporter in found:
        with findings.about(exporter.object, "has a pod") as each:
            if exporter.desired and not exporter.pods:
                each.wrong("it has none")
        for pod in exporter.pods:
            name = f"pod {harbor.namespace}/{pod.metadata.name}"
            with findings.about(name, "its settings say where it tells metrics"):
                endpoint = scraping.endpoint_of_exporter(harbor, pod)
                told[name] = _Told(harbor, pod, endpoint)
                oldest_s = max(oldest_s, min(endpoint.oldest_s, _OLDEST_S))
    _wait_until_they_agree(said, told, oldest_s + _MARGIN_S)
    if said.error:
        findings.unknown(f"front door {harbor.url}", f"what Harbor's API tells: {said.error}")
    for name, each in told.items():
        with findings.about(name, "tells what Harbor's API tells") as pod:
            if each.unknown:
                raise CannotTell(each.unknown)
            for line in each.wrong:
                pod.wrong(line)
    measured["exporter_pods_count"] = len(told)


def _wait_until_they_agree(said, told, timeout_s):
    def look():
        said.look()
        for each in told.values():
            each.look()
        said.look()
        for each in told.values():
            each.judge(said)
        if any(each.wrong for each in told.values()):
            raise NotYet("they differ")

    with suppress(DeadlinePassed):
        wait_until(
            "both tell the same",
            look,
            deadline="how old its values may be",
            timeout_s=timeout_s,
            interval_s=_INTERVAL_S,
        )


class _Said:
    """What Harbor's API has said since the check began."""

    def __init__(self, harbor):
        self._harbor = harbor
        self.health, self.components, self.projects = set(), defaultdict(set), []
        self.error = ""
        """Why it said nothing when it was asked last."""

    def look(self):
        front = self._harbor.front_door
        try:
            report = front.health()
            self.projects.append(front.count_of_projects(self._harbor.credentials))
        except AnswerError as refused:
            self.error = str(refused)
            return
        self.error = ""
        self.health.add(report.status == "healthy")
        for name, status in report.components.items():
            self.components[name].add(status == "healthy")


class _Told:
    """What one pod tells, and what of that is wrong."""

    def __init__(self, harbor, pod, endpoint):
        self._harbor, self._pod, self._endpoint = harbor, pod, endpoint
        self.wrong, self.unknown = [], ""
        self._metrics, self._error = None, ""

    def look(self):
        self._metrics, self._error, self.unknown = None, "", ""
        try:
            self._metrics = scraping.read(self._harbor, self._pod, self._endpoint)
        except AnswerError as refused:
            state = "" if is_ready(self._pod) else f" (it is {why_not_ready(self._pod)})"
            self._error = f"{refused}{state}"
        except CannotTell as reason:
            self.unknown = str(reason)

    def judge(self, said):
        self.wrong = [self._error] if self._error else []
        if self._metrics is not None and said.health:
            self.wrong += _differences(scraping.monitoring(self._harbor), self._metrics, said)


def _differences(names, metrics, said):
    """A phrase for each thing that is told otherwise than the API has said it."""
    found = []
    if names.health not in metrics:
        found.append(f"it tells no {names.health}: it gets no health report from Harbor")
    elif bool(metrics.total(names.health)) not in said.health:
        found.append(f"{names.health} is {metrics.total(names.health):g}, and the API says the contrary")
    up = metrics.by("component", names.up)
    for name, states in sorted(said.components.items()):
        if name in up and bool(up[name]) not in states:
            found.append(f'{names.up} of component="{name}" is {up[name]:g}, and the API says the contrary')
        elif up and name not in up:
            found.append(f'{names.up} tells nothing of component="{name}"')
    low, high = min(said.projects), max(said.projects)
    if names.projects not in metrics:
        found.append(f"it tells no {names.projects}")
    elif not low <= metrics.total(names.projects) <= high:
        counted = f"{low}" if low == high else f"{low} to {high}"
        found.append(
            f"{names.projects} is {metrics.total(names.projects):g}, and by the API there are {counted}"
        )
    return found
