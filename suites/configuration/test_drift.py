"""Replicas that differ. The usual way: a ConfigMap or Secret was edited, and only some pods were started since."""

from harbor_verify import running_replicas
from harbor_verify.checks import SHOULD, check
from harbor_verify.errors import NeedMissing
from harbor_verify.findings import Findings
from harbor_verify.model import drift
from harbor_verify.target import Target

_CLOCK_S = 5.0
"""Tokens are taken from some seconds before until some seconds after they are valid."""


@check(
    "configuration.replicas-run-alike",
    hint="The pod that is named runs with something else than its siblings: an answer depends on which one is asked. "
    "Mostly a ConfigMap or Secret was edited, and only some pods have been started since: {after_change}, so that all "
    "start with what is declared now. What differs: `kubectl exec POD -c CONTAINER -- cat FILE` and `-- env`, beside "
    "those of a sibling. Another image digest under one tag: name the image by its digest, or by a tag that nobody "
    "moves.",
    source="Kubernetes: a container keeps environment and subPath mounts of its start; containerStatuses.imageID",
)
def test_replicas_of_a_part_run_alike(harbor: Target, findings: Findings, need, tell):
    """All running replicas of a part run with the same image, arguments, environment and mounted files.

    Source: the status of each pod, and what each of its containers sees. What is another on each pod by declaration is
    not compared, nor are pods of two templates while a rollout goes on. A file that was written anew since its
    container started says nothing about what was read then.
    """
    found = running_replicas.siblings(harbor)
    blocked = _look_into(found, harbor, need)
    for group in found:
        declared = {name: thing for each in group.running for name, thing in each.declared.items()}
        by_replica = {each.replica.object: each.things for each in group.running}
        phrases = drift.differing(by_replica, declared if group.is_settled else {})
        for each in group.running:
            expected = "runs with what its siblings run with"
            with findings.about(each.replica.object, expected) as siblings:
                for container, reason in each.unseen.items():
                    siblings.unknown(f"container {container}: {reason}")
                if told := phrases.get(each.replica.object):
                    siblings.wrong("; ".join(told))
                each.require_seen()
    _tell_unseen(found, tell)
    if blocked and not findings.offenders:
        raise blocked


@check(
    "configuration.replicas-run-what-is-declared",
    hint="What is declared is not what runs: the ConfigMap, Secret or template was changed after the pods that are "
    "named had started, and the next pod that is started, on a lost node or in an upgrade, will be another than they "
    "are. Is the change wanted? {after_change}; else take it back. Files of a folder that were written anew: Harbor "
    "reads them at its start only, so nobody knows what it read. A clock: chrony or systemd-timesyncd on that node.",
    source="Kubernetes: a container keeps environment and subPath mounts of its start, and Harbor reads files at its "
    "start; tokens have times",
    severity=SHOULD,
    builds_on=("configuration.replicas-run-alike",),
)
def test_replicas_run_with_what_is_declared_now(harbor: Target, findings: Findings, need, tell):
    """Every running replica has started with what is declared now, and its clock is that of the others.

    Source: ConfigMaps, Secrets and templates, beside what each container sees; when the kubelet last wrote its files;
    `date` in each container: more than five seconds are told.
    """
    found = running_replicas.siblings(harbor)
    blocked = _look_into(found, harbor, need)
    running = [(group, each) for group in found for each in group.running]
    offsets = {each.replica.object: each.clock_s for _, each in running if each.clock_s}
    off = drift.clocks_off(offsets, _CLOCK_S)
    for group, each in running:
        with findings.about(each.replica.object, "runs with what is declared now") as replica:
            for container, reason in each.unseen.items():
                replica.unknown(f"container {container}: {reason}")
            told = drift.behind(each.things, each.declared) if group.is_settled else []
            if told := [*told, *each.rewritten]:
                replica.wrong("; ".join(told))
            if ahead_s := off.get(each.replica.object):
                where = "ahead of" if ahead_s > 0 else "behind"
                replica.wrong(
                    f"{abs(ahead_s):.0f} s {where} the others'", expected="its clock is that of the others"
                )
            each.require_seen()
    for group in found:
        if not group.is_settled:
            tell(
                f"{group.workload.object}: a rollout goes on, so its pods are not compared with its template"
            )
    _tell_unseen(found, tell)
    if blocked and not findings.offenders:
        raise blocked


def _look_into(found, harbor, need):
    """What keeps us from looking into containers, to be raised where the API alone shows nothing wrong."""
    try:
        need("exec")
    except NeedMissing as reason:
        return reason
    running_replicas.look_into(harbor, found)
    return None


def _tell_unseen(found, tell):
    """What containers beside Harbor's own could not be asked for, because they have no shell."""
    names = [
        f"{each.replica.name} ({', '.join(beside)})"
        for group in found
        for each in group.running
        if (beside := sorted(each.without_shell.keys() - {each.replica.container.name}))
    ]
    if names:
        tell(f"environment and files NOT seen, for want of a shell in the container: {', '.join(names)}")
