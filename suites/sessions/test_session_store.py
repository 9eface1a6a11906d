"""Where sessions really are."""

from harbor_verify.checks import check
from harbor_verify.errors import WrongConfiguration
from harbor_verify.findings import Findings
from harbor_verify.model.roles import Role
from harbor_verify.target import Target
from harbor_verify.verdict import Failure, Offender


@check(
    "sessions.stored-in-redis",
    hint="No key: that {web} keeps its sessions elsewhere: compare its {session_setting} (host, and the database "
    "number at its end) with the others', and delete the pod if it was started before the setting was changed. No "
    "answer of Redis: the address and password in it, and what it leads to. A key that never expires: some other "
    "program writes into this database number; give Harbor one of its own.",
    source="Harbor: a session's key in Redis, which each request renews",
    needs=("session-store",),
    builds_on=("configuration.session-store-configured", "sessions.replicas-follow-the-primary"),
)
def test_every_session_lies_in_the_session_store_and_expires(harbor: Target, findings: Findings, measured):
    """A session that any web replica opens lies in the Redis and database number of its settings, and expires there.

    Source: Harbor. Read with Harbor's own password; no value is looked at.
    """
    store = _store(harbor)
    left_s = []
    with harbor.redis(store) as redis:
        for replica in harbor.replicas(Role.WEB):
            expected = f"keeps the session that it opens in Redis {store}, for a time"
            with findings.about(replica.object, expected) as stored:
                session = harbor.web(replica).sign_in(harbor.user)
                key = session.cookie  # without a prefix
                left, kind = redis.time_to_live_s(key), redis.kind_of(key)
                if left is None:
                    stored.wrong("there is no such key")
                elif kind != "string":
                    stored.wrong(f"the key is a {kind}, not a string")
                elif left < 0:
                    stored.wrong("the key never expires")
                else:
                    left_s.append(left)
    if left_s:
        measured["session_time_to_live_s"] = min(left_s)


def _store(harbor):
    """The session store of the settings. Raises Failure when they name none, or cannot be right."""
    try:
        store = harbor.session_store()
        observed = "" if store else "none is named: sessions stay in the memory of each replica"
    except WrongConfiguration as wrong:
        observed = str(wrong)
    if observed:
        place = harbor.workload(Role.WEB).object
        raise Failure([Offender(place, "its settings name a session store, well formed", observed)])
    return store
