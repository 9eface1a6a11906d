"""Nobody is taken for somebody else."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle, islice, product

from harbor_verify.checks import check
from harbor_verify.errors import AnswerError
from harbor_verify.model.roles import Role
from harbor_verify.verdict import Offender, judge

_THREADS = 4
_REQUESTS = 50
"""Of each thread, at least; more where there are more pairs of a session and a replica."""


@dataclass(frozen=True)
class _Answer:
    """What a replica said to a session: whose it is, None where it knows none, or that it gave no proper answer."""

    place: str
    owner: str
    who: str | None = None
    trouble: str = ""


@check(
    "sessions.users-kept-apart",
    hint="Take the named replica out of service at once (kubectl scale, or its label): people see what is not "
    "theirs. Two Harbors that share one Redis database number, a cache before Harbor that keeps answers with cookies "
    "(proxy_cache, a CDN), or session ids that are not random: give each Harbor its own number in {session_setting}, "
    "and let nothing cache /api/.",
    source="Harbor: the session cookie, and its API's current user",
)
def test_no_session_is_ever_taken_for_another_users(harbor, stranger, new_user, measured):
    """However sessions of several users mix on the web replicas, each is its owner's, and no two are the same.

    Source: Harbor, session cookie. From several threads at once, on connections that all users share. That a
    session is known at all is for sessions.known-to-every-replica to say.
    """
    replicas = harbor.replicas(Role.WEB)
    opened, offenders = _sign_in(harbor, replicas, [harbor.credentials, stranger, new_user()])
    offenders += _same(opened)
    answers = _ask_at_once(harbor, replicas, [session for _, session in opened])
    for place, owner in dict.fromkeys((answer.place, answer.owner) for answer in answers):
        here = [answer for answer in answers if (answer.place, answer.owner) == (place, owner)]
        others = [answer.who for answer in here if answer.who and answer.who.lower() != owner.lower()]
        troubles = [answer.trouble for answer in here if answer.trouble]
        expected = f"takes sessions of {owner} for {owner}'s, in each of {len(here)} requests"
        if others:
            told = f"{len(others)} times for another's: {', '.join(sorted(set(others)))}"
            offenders.append(Offender(place, expected, told))
        if troubles:
            told = f"{len(troubles)} times no proper answer; first: {troubles[0]}"
            offenders.append(Offender(place, expected, told))
    known = sum(answer.who is not None for answer in answers)
    measured["requests_count"], measured["known_count"] = len(answers), known
    judge(offenders, examined=known)


def _sign_in(harbor, replicas, users):
    """(where, session) of each user on each replica, and an offender for each that is not let in."""
    opened, offenders = [], []
    for replica, user in product(replicas, users):
        try:
            opened.append((replica.name, harbor.web(replica).sign_in(user)))
        except AnswerError as refusal:
            offenders.append(Offender(replica.object, f"lets {user.user} in", str(refusal)))
    return opened, offenders


def _same(opened):
    """An offender for each login that was given a cookie which another had been given."""
    first, offenders = {}, []
    for where, session in opened:
        login = f"{session.user}'s on {where}"
        if session.cookie in first:
            observed = f"it is that of {first[session.cookie]}"
            offenders.append(Offender(f"login {login}", "a cookie that no other login was given", observed))
        first.setdefault(session.cookie, login)
    return offenders


def _ask_at_once(harbor, replicas, sessions):
    """Each session on each replica, one after the other on one connection, and several such rows at once."""
    pairs = list(product(range(len(replicas)), sessions))
    with ExitStack() as stack, ThreadPoolExecutor(_THREADS) as pool:
        rows = []
        for number in range(_THREADS):
            webs = [_web(harbor, stack, replica) for replica in replicas]
            begin = number * len(pairs) // _THREADS
            turn = islice(cycle(pairs[begin:] + pairs[:begin]), max(_REQUESTS, len(pairs)))
            rows.append([(replicas[index], webs[index], session) for index, session in turn])
        return [answer for row in pool.map(_ask, rows) for answer in row]


def _ask(row):
    answers = []
    for replica, web, session in row:
        try:
            answers.append(_Answer(replica.object, session.user, web.whoami(session)))
        except AnswerError as trouble:
            answers.append(_Answer(replica.object, session.user, trouble=str(trouble)))
    return answers


def _web(harbor, stack, replica):
    """A connection of its own: a session of `requests` is for one thread."""
    link = harbor.new_link(replica)
    stack.callback(link.close)
    return harbor.profile.api(link)
