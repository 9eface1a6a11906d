"""Where Harbor is told to keep sessions."""

from harbor_verify import running_replicas
from harbor_verify.checks import check
from harbor_verify.errors import ProgramMissing
from harbor_verify.findings import Findings
from harbor_verify.model.agreement import dissenting
from harbor_verify.model.roles import Role
from harbor_verify.model.stores import differences
from harbor_verify.target import Target


@check(
    "configuration.session-store-configured",
    hint="Give the {web} container {session_setting} from its ConfigMap (env or envFrom: not only the key), "
    "{after_change}. Without it each replica keeps sessions in its own memory.",
    source="Harbor: the session store's setting; Kubernetes: env, envFrom",
    needs=("exec",),
    builds_on=("configuration.replicas-run-alike",),
)
def test_every_web_replica_is_given_the_same_session_store(harbor: Target, findings: Findings, tell):
    """The environment of every web replica names a session store, well formed, and the same on each.

    Source: the environment that each container was made with: its ConfigMap may say something else since. Where the
    container has no shell, what its pod asks for now.
    """
    stores = {}
    for replica in harbor.replicas(Role.WEB):
        with findings.about(replica.object, "names a session store, well formed") as setting:
            store = harbor.profile.session_store(_environment(replica, harbor, tell))
            if store is None:
                observed = "names none: sessions stay in the memory of this replica"
                setting.wrong(observed, expected="names a session store")
            else:
                stores[replica.object] = store
    for name, usual in dissenting(stores).items():
        phrases = "; ".join(differences(stores[name], usual))
        findings.wrong(name, f"the session store of the others: {usual}", phrases)


def _environment(replica, harbor, tell):
    try:
        return running_replicas.environment(harbor, replica)
    except ProgramMissing as reason:
        tell(f"{replica.name}: what it was started with was NOT seen ({reason}), but what is declared now")
        return harbor.deployment.environment(replica)
