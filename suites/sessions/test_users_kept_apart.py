"""Nobody is taken for somebody else."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice, product

from harbor_verify.checks import check
from harbor_verify.errors import AnswerError
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Role
from harbor_verify.replica_coverage import cross_pairs
from harbor_verify.target import Target

_THREADS = 4
_REQUESTS = 50
"""Of each thread, at least; more where there are more pairs of a session and a place."""


@dataclass(frozen=True)
class _Answer:
    """What a place said to a session: whose it is, None where it knows none, or that it gave no proper answer."""

    place: str
    owner: str
    who: str | None = None
    error: str = ""


@check(
    "sessions.users-kept-apart",
    hint="Take the named replica out of service at once (kubectl scale, or its label): people see what is not "
    "theirs. Two Harbors that share one Redis database number, session ids that are not random, or, where the front "
    "door alone mixes people up, a cache that keeps answers with cookies (proxy_cache, a CDN): give each Harbor its "
    "own number in {session_setting}, and let nothing cache /api/.",
    source="Harbor: the session cookie, and its API's current user",
    builds_on=(
        "sessions.known-to-every-replica",
        "access.login-accepts-right-password",
        "database.grants-sufficient",
    ),
)
def test_no_session_is_ever_taken_for_another_users(
    harbor: Target, findings: Findings, stranger, new_user, measured
):
    """However sessions of several users mix on web replicas and the front door, each is its owner's, no two the same.

    Source: Harbor, session cookie. From several threads at once, on connections that all users share. That a
    session is known at all is for sessions.known-to-every-replica to say. The front door is asked for each session;
    each of many replicas for those of two, its own and its neighbour's, which are of every user.
    """
    replicas = harbor.replicas(Role.WEB)
    opened = []
    for replica, user in product(replicas, [harbor.user, stranger, new_user()]):
        with findings.about(replica.object, f"lets {user.user} in"):
            opened.append((replica.name, harbor.web(replica).sign_in(user)))
    _examine_cookies(findings, opened)
    places = {replica.object: partial(harbor.new_link, replica) for replica in replicas}
    # Whatever stands before them may keep an answer, and give it to whoever asks next.
    places[f"front door {harbor.access.url}"] = harbor.new_front_door_link
    asked = {(one.object, other.name) for one, other in cross_pairs(replicas, replicas)}
    single = {replica.object for replica in replicas}
    pairs = [
        (place, session)
        for place, (where, session) in product(places, opened)
        if place not in single or (place, where) in asked
    ]
    answers = _ask_at_once(harbor, places, pairs)
    for place, owner in dict.fromkeys((answer.place, answer.owner) for answer in answers):
        here = [answer for answer in answers if (answer.place, answer.owner) == (place, owner)]
        others = [answer.who for answer in here if answer.who and answer.who.lower() != owner.lower()]
        errors = [answer.error for answer in here if answer.error]
        expected = f"takes sessions of {owner} for {owner}'s, in each of {len(here)} requests"
        with findings.about(place, expected) as sessions:
            if others:
                sessions.wrong(f"{len(others)} times for another's: {', '.join(sorted(set(others)))}")
            elif errors:
                # So it is behind a rate limit, too: nobody was mixed up in what did not come.
                sessions.unknown(f"{len(errors)} times no proper answer; first: {errors[0]}")
    known = sum(answer.who is not None for answer in answers)
    measured["requests_count"], measured["known_count"] = len(answers), known
    if not known:
        findings.unknown(
            "sessions of several users", "no replica knew one of them, so none could be mixed up"
        )


def _examine_cookies(findings, opened):
    """No login was given a cookie which another had been given."""
    first = {}
    for where, session in opened:
        login = f"{session.user}'s on {where}"
        with findings.about(f"login {login}", "a cookie that no other login was given") as cookie:
            if session.cookie in first:
                cookie.wrong(f"it is that of {first[session.cookie]}")
        first.setdefault(session.cookie, login)


def _ask_at_once(harbor, places, pairs):
    """Each (place, session), one after the other on one connection to each place, and several such rows at once."""
    with ExitStack() as stack, ThreadPoolExecutor(_THREADS) as pool:
        rows = []
        for number in range(_THREADS):
            webs = {place: _web(harbor, stack, new_link) for place, new_link in places.items()}
            begin = number * len(pairs) // _THREADS
            turn = islice(cycle(pairs[begin:] + pairs[:begin]), max(_REQUESTS, len(pairs)))
            rows.append([(place, webs[place], session) for place, session in turn])
        return [answer for row in pool.map(_ask, rows) for answer in row]


def _ask(row):
    answers = []
    for place, web, session in row:
        try:
            answers.append(_Answer(place, session.user, web.whoami(session)))
        except AnswerError as error:
            answers.append(_Answer(place, session.user, error=str(error)))
    return answers


def _web(harbor, stack, new_link):
    """A connection of its own: a session of `requests` is for one thread."""
    link = new_link()
    stack.callback(link.close)
    return harbor.profile.api(link)
