"""The tokens that protect forms: one replica gives the form, another may get it back."""

from harbor_verify.checks import check
from harbor_verify.errors import AnswerError, UnexpectedAnswer
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Feature, Role
from harbor_verify.replica_coverage import ordered_pairs
from harbor_verify.target import Target

_NOT_TAKEN = 403


@check(
    "configuration.csrf-key-same-on-every-replica",
    hint="Give every {web} replica the same CSRF_KEY, of exactly 32 characters (one of another length is replaced by a "
    "random one, and only the log says so): from one Secret, not made anew by each rendering of the manifests; "
    "{after_change}. Until then every other login at the page fails.",
    source="Harbor: CSRF_KEY; reports 21060 of goharbor/harbor, 1847 of goharbor/harbor-helm",
    requires=(Feature.FORM_TOKENS,),
    builds_on=("access.login-accepts-right-password", "configuration.replicas-run-alike"),
)
def test_a_form_that_one_web_replica_gave_is_taken_by_every_other(
    harbor: Target, findings: Findings, not_applicable, blocked
):
    """A sign-in form that one web replica gave is taken by every other.

    Source: Harbor's form tokens. Ordered pairs: the form of A, sent to B; of many replicas, round a
    ring (harbor_verify/replica_coverage.py).
    """
    replicas = harbor.replicas(Role.WEB)
    if len(replicas) < 2:
        not_applicable(
            f"{harbor.workload(Role.WEB).object} has one replica: there is no other to send a form to"
        )
    tokens = {}
    for replica in replicas:
        with findings.about(replica.object, "gives a form with a token"):
            tokens[replica.name] = harbor.web(replica).form_token()
    refused_forms = []
    for giver, taker in ordered_pairs(replicas):
        if giver.name not in tokens:
            continue
        expected = f"takes the form that {giver.name} gave"
        with findings.about(taker.object, expected):
            if refusal := _refusal(harbor, taker, tokens[giver.name]):
                refused_forms.append((taker.object, expected, refusal))
    if refused_forms:
        _require_own_forms(harbor, [each for each in replicas if each.name in tokens], tokens, blocked)
    for thing, expected, refusal in refused_forms:
        findings.wrong(thing, expected, f"it signs with another key: {refusal}")


def _refusal(harbor, replica, token):
    """With which words a replica does not take a form; None where it does. Raises AnswerError for anything else."""
    try:
        harbor.web(replica).sign_in_with(token, harbor.user)
    except UnexpectedAnswer as refused:
        if refused.status != _NOT_TAKEN:
            raise
        return refused
    return None


def _require_own_forms(harbor, givers, tokens, blocked):
    """Ends as blocked where no replica takes even its own form: not the form is refused then, but the user.

    Somebody who may not sign in at the form, as a user of OIDC, is answered like a form of another key.
    """
    refusals = []
    for giver in givers:
        try:
            refusals.append(_refusal(harbor, giver, tokens[giver.name]))
        except AnswerError:
            return
    if all(refusals):
        blocked(
            f"each replica refuses the suite's user at its own form, too: {refusals[0]}. Where users come "
            "from elsewhere, --admin-user has to be one of Harbor's own"
        )
