"""What tokens let their owners do."""

from harbor_verify import clock
from harbor_verify.checks import SHOULD, check
from harbor_verify.clients import token_service
from harbor_verify.errors import AnswerError
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Role, Standing
from harbor_verify.target import Target
from harbor_verify.verdict import Failure, Offender

_DAY_S = 24 * 60 * 60
_LEEWAY_S = 60
"""By how much clocks may differ: a registry takes a token that is of so far ahead."""
_OPENS = frozenset({"*", "pull", "push", "delete", "scanner-pull"})
"""What a registry, or Harbor before it, does for whoever has the action; what else a release may name opens nothing."""


@check(
    "access.token-grants-no-more-than-asked-or-allowed",
    hint="Too few: that replica does not know its caller (see access.login-accepts-right-password), or another "
    "database than the others. Too many: another program, or a project that was made public. Expiry: "
    "{token_lifetime}; at 0 tokens are expired when they come. "
    "Wrong times: the clock of the node that the replica runs on.",
    source="Harbor: /service/token; distribution: token authentication, access and exp",
    builds_on=(
        "configuration.token-key-same-on-every-replica",
        "database.grants-sufficient",
    ),
)
def test_a_token_grants_what_the_role_allows_on_what_was_asked_and_no_more(
    harbor: Target, findings: Findings, project, public_project, stranger, new_user
):
    """A token of any web replica grants what its owner's role allows on what was asked for, and is valid now.

    Source: Harbor, /service/token. It ignores which actions were asked for, and gives all that the role allows.
    Its 200 proves nothing: a token that grants too little is an offender as well. What opens nothing is granted too
    much only to those who are allowed nothing at all.
    """
    private, public = f"{project}/anything", f"{public_project}/anything"
    cases = [
        ("the project's administrator", harbor.user, private, Standing.ADMINISTRATOR),
        (
            "a developer",
            _member(harbor, project, new_user(), Standing.DEVELOPER),
            private,
            Standing.DEVELOPER,
        ),
        ("a guest", _member(harbor, project, new_user(), Standing.GUEST), private, Standing.GUEST),
        ("a stranger", stranger, private, Standing.STRANGER),
        ("nobody", None, private, Standing.STRANGER),
        ("a stranger", stranger, public, Standing.PUBLIC),
        ("nobody", None, public, Standing.PUBLIC),
    ]
    for replica in harbor.replicas(Role.WEB):
        wrong_times = ""
        for who, credentials, repository, standing in cases:
            allowed = harbor.profile.actions[standing]
            wanted = {f"repository:{repository}": allowed} if allowed else {}
            expected = (
                f"its token lets {who} {_in_words(wanted) or f'do nothing with repository:{repository}'}"
            )
            scope = f"repository:{repository}:push,pull"
            with findings.about(replica.object, expected) as given:
                token = token_service.fetch(harbor.web(replica).http, credentials, scope)
                if _is_wrong(token.grants, wanted):
                    given.wrong(_in_words(token.grants) or "nothing")
                wrong_times = wrong_times or _wrong_times(token.claims)
        if wrong_times:
            findings.wrong(replica.object, "its tokens are valid now", wrong_times)


@check(
    "access.tokens-last-a-day-at-most",
    hint="Whoever loses a right, or the account, goes on pulling and pushing with the token that he has. "
    "Lower {token_lifetime}: half an hour is Harbor's own; long pushes need hours.",
    source="Harbor: token_expiration (minutes); distribution: token authentication, exp",
    severity=SHOULD,
    builds_on=("access.token-grants-no-more-than-asked-or-allowed",),
)
def test_tokens_last_for_a_day_at_most(harbor: Target, findings: Findings, measured):
    """The tokens that docker clients get of any web replica are valid for a day at most.

    Source: exp and iat of a token of the run's own user, which grants nothing.
    """
    for replica in harbor.replicas(Role.WEB):
        with findings.about(replica.object, "its tokens are valid for a day at most") as tokens:
            claims = token_service.fetch(harbor.web(replica).http, harbor.user).claims
            lasts_s = claims.get("exp", 0) - claims.get("iat", 0)
            measured["longest_token_s"] = max(lasts_s, measured.get("longest_token_s", 0))
            if lasts_s > _DAY_S:
                tokens.wrong(f"valid for {lasts_s / 3600:.0f} hours")


def _member(harbor, project, user, standing):
    """A user, made a member of the project. Raises Failure when Harbor does not."""
    number = harbor.profile.member_roles[standing]
    front_door, admin = harbor.front_door, harbor.credentials
    try:
        front_door.add_member(front_door.projects(project, admin)[project], user.user, number, admin)
    except (AnswerError, KeyError) as error:
        expected = f"a {standing} can be added to project {project}"
        observed = f"{project} is not listed" if isinstance(error, KeyError) else str(error)
        raise Failure([Offender(f"front door {harbor.access.url}", expected, observed)]) from error
    return user


def _is_wrong(grants, wanted):
    """Something is missing, or something is granted that lets its owner do more."""
    if grants.keys() != wanted.keys():
        return True
    return any(
        wanted[name] - actions or (actions - wanted[name]) & _OPENS for name, actions in grants.items()
    )


def _in_words(grants):
    return "; ".join(f"{', '.join(sorted(actions))} {name}" for name, actions in sorted(grants.items()))


def _wrong_times(claims):
    now_s = clock.now().timestamp()
    expires_s, issued_s = claims.get("exp"), claims.get("iat")
    if not all(isinstance(each, int | float) for each in (expires_s, issued_s)):
        return f"exp is {expires_s}, iat is {issued_s}"
    if expires_s <= now_s:
        return f"it expired {now_s - expires_s:.0f} s ago"
    if issued_s > now_s + _LEEWAY_S:
        return f"it is issued {issued_s - now_s:.0f} s from now"
    return ""
