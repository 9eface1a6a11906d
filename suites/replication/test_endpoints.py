"""Other registries that replication rules and proxy caches stand on."""

from harbor_verify.checks import SHOULD, check
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature
from harbor_verify.target import Target

_WELL = "healthy"


@check(
    "replication.endpoints-reachable",
    hint="Administration, Registries, Test Connection says why: a name that does not resolve in the pods of {web}, a "
    "proxy that is missing (HTTP_PROXY, NO_PROXY of the {web} and of the {job}), a certificate that they do not trust, "
    "a password or robot that has ended. Each {web} looks every five minutes: what was mended just now is said to be "
    "unhealthy as long. Until then rules fail, and a proxy cache gives what it has (replication.proxy-caches-serve), "
    "nothing new.",
    source="Harbor: GET registries (status), replication/policies, projects (registry_id)",
    requires=(Feature.REPLICATION,),
    severity=SHOULD,
    builds_on=("configuration.stored-passwords-readable",),
)
def test_registries_that_rules_and_proxy_caches_stand_on_can_be_reached(
    harbor: Target, findings: Findings, not_applicable, measured
):
    """Every other registry that an enabled replication rule or a proxy cache stands on is one that Harbor can reach.

    Source: what Harbor found when it looked last. Registries that nothing stands on are not judged.
    """
    users: dict[int, list[str]] = {}
    front, credentials = harbor.front_door, harbor.credentials
    with findings.about(f"front door {harbor.url}", "lists replication rules and projects"):
        for rule in front.rules(credentials):
            for endpoint in rule.endpoint_ids if rule.enabled else ():
                users.setdefault(endpoint, []).append(f"rule {rule.name}")
        for project in front.projects("", credentials).values():
            if project.upstream_id:
                users.setdefault(project.upstream_id, []).append(f"proxy cache {project.name}")
    if not users:
        if not findings.offenders:
            not_applicable("no replication rule is enabled, and no project is a proxy cache")
        return
    measured["endpoints_in_use_count"] = len(users)
    with findings.about(f"front door {harbor.url}", "lists the registries that it knows"):
        known = {each.id: each for each in front.endpoints(credentials)}
        for number, names in users.items():
            used = ", ".join(sorted(names))
            thing = (
                f"registry {known[number].name} ({known[number].url})"
                if number in known
                else f"registry {number}"
            )
            with findings.about(thing, f"Harbor reaches it, for {used}") as endpoint:
                if number not in known:
                    endpoint.wrong("Harbor knows no such registry")
                elif known[number].status != _WELL:
                    endpoint.wrong(f"Harbor calls it {known[number].status or 'nothing at all'}")
