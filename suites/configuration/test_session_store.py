"""Where Harbor is told to keep sessions."""

from harbor_verify.checks import check
from harbor_verify.errors import WrongConfiguration
from harbor_verify.model.agreement import prevailing
from harbor_verify.model.roles import Role
from harbor_verify.model.stores import differences
from harbor_verify.verdict import Offender, judge


@check(
    "configuration.session-store-configured",
    hint="Give the {web} container {session_setting} from its ConfigMap (env or envFrom: not only the key), "
    "{after_change}. Without it each replica keeps sessions in its own memory.",
    source="Harbor: the session store's setting; Kubernetes: env, envFrom",
)
def test_every_web_replica_is_given_the_same_session_store(harbor):
    """The environment of every web replica names a session store, well formed, and the same on each.

    Source: the specification of each pod, and the ConfigMaps and Secrets that it refers to.
    """
    replicas = harbor.replicas(Role.WEB)
    offenders, stores = [], {}
    for replica in replicas:
        try:
            store = harbor.profile.session_store(harbor.deployment.environment(replica))
        except WrongConfiguration as wrong:
            offenders.append(Offender(replica.object, "names a session store, well formed", str(wrong)))
            continue
        if store is None:
            observed = "names none: sessions stay in the memory of this replica"
            offenders.append(Offender(replica.object, "names a session store", observed))
        else:
            stores[replica.object] = store
    if stores:
        usual = prevailing(stores.values())
        offenders += [
            Offender(name, f"the session store of the others: {usual}", "; ".join(differences(store, usual)))
            for name, store in stores.items()
            if store != usual
        ]
    judge(offenders, examined=len(replicas))
