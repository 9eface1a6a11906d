"""The database takes no writes, as a standby that Harbor was led to, or one that its disk has run full under."""

from lab.defects import Defect, Lab

# What holds for a session is decided when it begins: those that are there would go on as before.
_RECONNECT = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = 'harbor'"""


def _forbid(lab: Lab) -> None:
    lab.sql("ALTER ROLE harbor SET default_transaction_read_only = on")
    lab.sql(_RECONNECT)


def _allow(lab: Lab) -> None:
    lab.sql("ALTER ROLE harbor RESET default_transaction_read_only")
    lab.sql(_RECONNECT)


DEFECT = Defect(
    report="h#15972",
    shows="one can sign in and look around, and everything that writes fails with 500",
    turns_red=frozenset(
        {
            "access.anonymous-may-pull-public-but-not-push",
            "access.docker-login",
            "access.login-refuses-wrong-password",
            "access.private-project-hidden-from-anonymous",
            "access.robot-account-pushes-and-pulls",
            "access.token-grants-no-more-than-asked-or-allowed",
            "database.grants-sufficient",
            "images.chunk-out-of-order",
            "images.docker-manifest-list-unchanged",
            "images.empty-blob",
            "images.head-agrees-with-get",
            "images.layer-sizes",
            "images.long-names",
            "images.mount-across-repositories",
            "images.mount-needs-pull-right",
            "images.oci-index-unchanged",
            "images.pull-resumes",
            "images.range-passed-on",
            "images.referrers-listed",
            "images.tag-pages",
            "images.unchanged-means-unchanged",
            "images.upload-forms",
            "registry.busybox-push-pull",
            "registry.concurrent-pushes",
            "registry.corrupted-blob-refused",
            "registry.delete-removes",
            "registry.kubelet-pulls-with-pull-secret",
            "registry.pushed-on-one-pulled-on-every",
            "registry.quota-follows-pushes",
            "registry.repository-appears-in-harbor",
            "registry.upload-continues-on-another-replica",
            "sessions.users-kept-apart",
            "storage.job-logs-shared",
        }
    ),
    causes=frozenset({"database.grants-sufficient"}),
    hint_says=("read-only",),
    plant_outside=_forbid,
    heal_outside=_allow,
)
