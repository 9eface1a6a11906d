"""How old what scanners know is."""

from datetime import timedelta

from harbor_verify import clock
from harbor_verify.checks import SHOULD, check
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature
from harbor_verify.target import Target

_OLDEST = timedelta(days=7)


@check(
    "scanning.database-recent",
    hint="A new one comes several times a day; Trivy fetches it when it scans, so one that is old means that no scan "
    "ran, or that it cannot be fetched: `kubectl logs` of Trivy (mirror.gcr.io and ghcr.io unreachable, or too many "
    "requests: the chart's trivy.dbRepository; a proxy; SCANNER_TRIVY_SKIP_UPDATE where somebody is to bring it by "
    "hand). Schedule a scan of all (Interrogation Services). No answer: its pod, and the URL by which Harbor knows it.",
    source="Harbor: GET scanners, scanners/ID/metadata; harbor.scanner-adapter/vulnerability-database-updated-at",
    requires=(Feature.SCANNERS,),
    severity=SHOULD,
    builds_on=("configuration.health-body-is-healthy",),
)
def test_what_scanners_know_is_recent(harbor: Target, findings: Findings, not_applicable, measured):
    """The vulnerability database of every scanner in use is no older than seven days.

    Source: what each says of itself, as Harbor asks it. Scanners that are switched off, or tell no date, are passed
    over.
    """
    used, ages = [], []
    front, credentials = harbor.front_door, harbor.credentials
    with findings.about(f"front door {harbor.url}", "lists scanners"):
        used = [each for each in front.scanners(credentials) if not each.disabled]
    if not used and not findings.offenders:
        not_applicable("no scanner is in use")
    silent = []
    for scanner in used:
        with findings.about(
            f"scanner {scanner.name}", f"what it knows is at most {_OLDEST.days} days old"
        ) as each:
            updated = front.scanner_database(scanner, credentials)
            if updated is None:
                silent.append(scanner.name)
                continue
            ages.append(clock.now() - updated)
            if ages[-1] > _OLDEST:
                each.wrong(f"it is of {updated:%F %T} UTC, {ages[-1].days} days ago")
    if ages:
        measured["oldest_scanner_database_days"] = max(ages).days
    elif silent and not findings.offenders:
        not_applicable(f"none tells how old what it knows is: {', '.join(silent)}")
