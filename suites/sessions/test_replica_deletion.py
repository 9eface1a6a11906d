"""Sessions outlive the pod that opened them."""

from contextlib import ExitStack

from harbor_verify.checkers.sessions import UNKNOWN_SESSION, WRONG_USER, no_session_lost
from harbor_verify.checks import check
from harbor_verify.findings import Findings
from harbor_verify.history import Recorder
from harbor_verify.model.roles import Role
from harbor_verify.pod_deletion import delete_pod, pod_kill, require_whole
from harbor_verify.settings import Settings
from harbor_verify.target import Target
from harbor_verify.verdict import Failure, Offender
from harbor_verify.workloads.sessions import Login, probe_everywhere
from harbor_verify.workloads.until_served import TRIES, try_before


@check(
    "sessions.survive-replica-deletion",
    hint="Give every {web} replica the same {session_setting}: without it sessions are in the memory of the pod that "
    "opened them. Unknown on the new pod only: it got other settings than the others; compare that one. Not replaced: "
    "`kubectl describe pod` of the new pod.",
    source="Harbor: sessions are in Redis; Kubernetes: pods are replaced, not mended",
    needs=("disruption",),
    builds_on=(
        "sessions.known-to-every-replica",
        "configuration.session-store-configured",
        "configuration.components-replicated",
    ),
)
def test_sessions_outlive_the_replica_that_opened_them(
    harbor: Target, findings: Findings, recorder: Recorder, settings: Settings, tell, measured
):
    """When a web pod is deleted, every session, those that it opened among them, is known on every replica.

    Source: Harbor, sessions in Redis. Asked on the new pod, too, and again and again for a while: after a restart
    requests may be spoiled, and that is no lost session.
    """
    require_whole(harbor, Role.WEB)
    with ExitStack() as stack:
        sessions = _sign_in_everywhere(harbor, recorder, stack)
        workload = harbor.workload(Role.WEB)
        kill = pod_kill(harbor, workload, recorder, settings)
        if not_replaced := delete_pod(kill, workload, tell, "which opened a session"):
            raise Failure([not_replaced])
        names = {pod.uid: pod.replica for pod in kill.replicas}
        webs = [_web(harbor, stack, replica, names.get(replica.uid)) for replica in harbor.replicas(Role.WEB)]
        tell(f"asking for {len(sessions)} sessions on {len(webs)} replicas")
        last = probe_everywhere(recorder, webs, sessions, span_s=settings.confirmation_s)
    judgement = no_session_lost(recorder.history(), replicas=[web.name for web in webs])
    measured.update(judgement.measured)
    findings.offenders += judgement.offenders
    for probe in last:
        expected = f"says whose session {probe.value['session']} is, within {settings.confirmation_s:g} s"
        with findings.about(probe.replica, expected) as answer:
            if _is_unanswered(probe):
                answer.wrong(f"{probe.error}{f', status {probe.status}' if probe.status else ''}")
    if not findings.offenders:
        findings.unknowns += judgement.unknowns


def _sign_in_everywhere(harbor, recorder, stack):
    """A session of each web replica. Raises Failure with those that open none, CannotTell."""
    offenders, sessions = [], []
    for replica in harbor.replicas(Role.WEB):
        login = Login(_web(harbor, stack, replica), harbor.user)
        done = try_before(recorder, login)
        if not done.ok:
            expected = f"opens a session before anything is broken, {TRIES} tries"
            status = f", status {done.status}" if done.status else ""
            offenders.append(Offender(replica.object, expected, f"{done.error}{status}"))
        sessions += login.sessions
    if offenders:
        raise Failure(offenders)
    return sessions


def _web(harbor, stack, replica, name=None):
    link = harbor.new_link(replica, name=name)
    stack.callback(link.close)
    return harbor.profile.api(link)


def _is_unanswered(probe):
    """Harbor was asked, and said neither whose session it is nor that it knows none."""
    return not probe.ok and probe.asked and probe.error not in (UNKNOWN_SESSION, WRONG_USER)
