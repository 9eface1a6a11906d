"""Harbor's database user may read, and nothing else."""

from lab.defects import Defect, Lab, whatever_pushes
from lab.defects.harbor_1_2 import SOME_FAILOVER
from lab.stores import galera

_ON = f"ON {galera.DATABASE}.*"
_USER = f"'{galera.USER}'@'%'"
# What a connection may do in its database is decided when it is made: those that are there would go on as before.
_RECONNECT = f"KILL HARD USER '{galera.USER}';"


def _revoke(lab: Lab) -> None:
    lab.sql(f"REVOKE ALL PRIVILEGES {_ON} FROM {_USER}; GRANT SELECT {_ON} TO {_USER}; {_RECONNECT}")


def _grant(lab: Lab) -> None:
    lab.sql(f"GRANT ALL PRIVILEGES {_ON} TO {_USER}; {_RECONNECT}")


DEFECT = Defect(
    report="the reference deployment's own warning; h#15972",
    shows="one can sign in and look around, and everything that writes fails with 500",
    turns_red=frozenset(
        {
            "access.anonymous-may-pull-public-but-not-push",
            "access.docker-login",
            "access.login-refuses-wrong-password",
            "access.private-project-hidden-from-anonymous",
            "access.token-grants-no-more-than-asked-or-allowed",
            "database.grants-sufficient",
            "images.chunk-out-of-order",
            "images.mount-needs-pull-right",
            "registry.corrupted-blob-refused",
            "registry.pushed-on-one-pulled-on-every",
            "registry.upload-continues-on-another-replica",
            "sessions.users-kept-apart",
            "storage.image-survives-registry-pod-deletion",
        }
    )
    | whatever_pushes.CHECKS
    | SOME_FAILOVER,
    causes=frozenset({"database.grants-sufficient"}),
    plant_outside=_revoke,
    heal_outside=_grant,
)
