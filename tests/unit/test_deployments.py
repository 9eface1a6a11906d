"""Harbors as people have them, each with the verdict that it deserves: what is red, for which object, and what is not
applicable, and why. See tests/deployments for what they are.
"""

from dataclasses import dataclass

import pytest

from harbor_verify.errors import ProgramMissing
from harbor_verify.facts import Exposure, ImageStore, StorePlace
from harbor_verify.model.roles import Role
from tests.unit import deployments
from tests.unit.whole_harbors import harbor_of, lacking, verdicts_on

CLAIMS = {
    "storage.claims-bound",
    "storage.claims-bound-to-intended-volume",
    "storage.access-mode-shared",
    "storage.capacity-honoured",
    "storage.reclaim-policy-retains",
    "storage.volume-mounted-in-every-replica",
}
STORES = {"database": "database.not-on-one-server", "redis": "sessions.store-not-on-one-server"}
DOOR, SENTINELS = "configuration.front-door-not-on-one-pod", "sessions.sentinels-can-elect"
SEVERAL = {"configuration.replicas-spread-over-nodes", "configuration.disruption-budgets-present"}


@dataclass(frozen=True)
class Deserves:
    """What is wrong with a deployment; several things in one text, by blanks. The rest is well, or not applicable.

    `alone`: parts that have one replica; `unguarded`: of several, without a PodDisruptionBudget; `single`: stores of
    one pod; `elsewhere`: stores that are not in the cluster, so that they have to be asked themselves; `deleted`:
    claims whose volumes go with them; `unshared`: claims of several replicas that one node alone can mount.
    """

    alone: str = "core portal jobservice registry"
    unguarded: str = ""
    single: str = "database redis"
    elsewhere: str = ""
    deleted: str = "jobservice registry"
    unshared: str = ""
    well_known_key: bool = True
    cores: int = 1
    images_in_container: bool = False
    no_claims: bool = False
    several: bool = True
    budgets_of_one: bool = False
    claims_of_several: bool = False
    door_seen: bool = False
    by_sentinels: bool = False
    names: str = "harbor-database harbor-redis"

    def red(self) -> dict[str, set[str]]:
        database, redis = self.names.split()
        stores = {"database": database, "redis": redis}
        red = {
            "configuration.components-replicated": _deployments(self.alone),
            "configuration.disruption-budgets-present": _deployments(self.unguarded),
            "storage.reclaim-policy-retains": {
                f"PersistentVolume pv-harbor-{n}" for n in self.deleted.split()
            },
            "storage.access-mode-shared": {
                f"PersistentVolumeClaim harbor/harbor-{name}" for name in self.unshared.split()
            },
            "configuration.secret-key-not-default": {
                f"pod harbor/harbor-core-{n}" for n in range(self.cores) if self.well_known_key
            },
            "configuration.registry-root-inside-volume": {"pod harbor/harbor-registry-0"}
            if self.images_in_container
            else set(),
            **{STORES[each]: {f"StatefulSet harbor/{stores[each]}"} for each in self.single.split()},
        }
        return {id: objects for id, objects in red.items() if objects}

    def not_applicable(self) -> set[str]:
        ids = set() if self.several else set(SEVERAL)
        ids -= {"configuration.disruption-budgets-present"} if self.budgets_of_one else set()
        ids |= CLAIMS if self.no_claims else set()
        ids |= set() if self.claims_of_several else {"storage.access-mode-shared"}
        ids |= set() if self.door_seen else {DOOR}
        # Drivers and clouds show nothing of their servers, and stores are one pod each, or outside: others are in
        # tests/unit/test_suites_storage_servers.py, test_suites_stores_spread.py and test_suites_zones.py.
        ids |= {"storage.not-on-one-server", "configuration.stores-spread-over-nodes"}
        ids.add("configuration.replicas-spread-over-zones")
        return ids | (set() if self.by_sentinels else {SENTINELS})

    def blocked(self) -> set[str]:
        """Without a way to a store that is elsewhere nobody can say what it stands on."""
        return {STORES[each] for each in self.elsewhere.split()} | (
            {SENTINELS} if self.by_sentinels else set()
        )


def _deployments(parts: str) -> set[str]:
    return {f"Deployment harbor/harbor-{part}" for part in parts.split()}


EXTERNAL = {"single": "", "elsewhere": "database redis"}
DOCUMENTED = {
    "alone": "",
    **EXTERNAL,
    "deleted": "",
    "well_known_key": False,
    "claims_of_several": True,
    "door_seen": True,
}
TWO_CORES = {"alone": "portal jobservice registry", "unguarded": "core", "cores": 2}
OWN_STORES_OF_BITNAMI = {"names": "harbor-postgresql harbor-redis-master", "well_known_key": False}
VERDICTS = {
    "01-defaults": Deserves(several=False),
    # As its document says, and yet: no budget for portal can be asked of it before chart 1.17, or was forgotten.
    "02-ha-documented": Deserves(unguarded="portal", **DOCUMENTED),
    "02-ha-documented-116": Deserves(unguarded="core portal jobservice registry", **DOCUMENTED),
    "03-nodeport": Deserves(alone="portal jobservice registry", unguarded="core nginx", cores=2),
    "04-nodeport-tls": Deserves(unguarded="nginx"),
    "05-loadbalancer": Deserves(unguarded="nginx"),
    "06-clusterip": Deserves(alone="core portal jobservice registry nginx", several=False),
    "07-route": Deserves(**TWO_CORES),
    # As good as it gets: nothing is red, and nothing about claims is asked.
    "08-s3-no-pvc": Deserves(**{**DOCUMENTED, "no_claims": True, "claims_of_several": False}),
    "10-gcs": Deserves(alone="core portal jobservice", unguarded="registry", deleted="jobservice"),
    "12-sentinel": Deserves(single="database", elsewhere="redis", by_sentinels=True, **TWO_CORES),
    "13-redis-tls-acl": Deserves(single="database", elsewhere="redis", several=False),
    "14-pg-verify-full": Deserves(single="redis", elsewhere="database", several=False),
    "15-internaltls-auto": Deserves(**{**TWO_CORES, "alone": "portal jobservice registry nginx"}),
    "16-internaltls-secret": Deserves(**TWO_CORES),
    "18-trivy-metrics-cache": Deserves(**TWO_CORES),
    "20-joblogs-file-rwo": Deserves(
        alone="core portal",
        unguarded="jobservice registry",
        unshared="jobservice registry",
        claims_of_several=True,
    ),
    "21-sidecars": Deserves(
        alone="portal jobservice",
        unguarded="core registry",
        cores=2,
        unshared="registry",
        claims_of_several=True,
    ),
    "22-ipv6": Deserves(alone="core portal jobservice registry nginx", several=False, **EXTERNAL),
    # Every part twice, and yet it stands on two single pods: this was called highly available.
    "23-internal-stores-ha-looking": Deserves(
        alone="", deleted="", well_known_key=False, claims_of_several=True
    ),
    "24-no-persistence": Deserves(deleted="", images_in_container=True, no_claims=True, several=False),
    "25-redis-url-by-variable": Deserves(single="database", elsewhere="redis", **TWO_CORES),
    "b1-bitnami-defaults": Deserves(
        alone="core portal jobservice registry nginx",
        several=False,
        budgets_of_one=True,
        **OWN_STORES_OF_BITNAMI,
    ),
    "b2-bitnami-ha": Deserves(alone="", claims_of_several=True, **OWN_STORES_OF_BITNAMI),
}


def test_every_deployment_has_its_verdict():
    assert set(VERDICTS) == set(deployments.NAMES)


OUTSIDE, MANAGED, IN_CLUSTER = StorePlace.OUTSIDE, StorePlace.MANAGED, StorePlace.IN_CLUSTER
IN_CLAIMS, IN_STORE = ImageStore.CLAIMS, ImageStore.OBJECT_STORE
FACTS = {
    "01-defaults": (Exposure.INGRESS, IN_CLAIMS, IN_CLUSTER, IN_CLUSTER),
    "02-ha-documented": (Exposure.INGRESS, IN_CLAIMS, OUTSIDE, OUTSIDE),
    "02-ha-documented-116": (Exposure.INGRESS, IN_CLAIMS, OUTSIDE, OUTSIDE),
    "03-nodeport": (Exposure.OWN_PROXY, IN_CLAIMS, IN_CLUSTER, IN_CLUSTER),
    "04-nodeport-tls": (Exposure.OWN_PROXY, IN_CLAIMS, IN_CLUSTER, IN_CLUSTER),
    "05-loadbalancer": (Exposure.OWN_PROXY, IN_CLAIMS, IN_CLUSTER, IN_CLUSTER),
    "06-clusterip": (Exposure.OWN_PROXY, IN_CLAIMS, IN_CLUSTER, IN_CLUSTER),
    "07-route": (Exposure.ROUTE, IN_CLAIMS, IN_CLUSTER, IN_CLUSTER),
    "08-s3-no-pvc": (Exposure.INGRESS, IN_STORE, MANAGED, MANAGED),
    "10-gcs": (Exposure.INGRESS, IN_STORE, IN_CLUSTER, IN_CLUSTER),
    "12-sentinel": (Exposure.INGRESS, IN_CLAIMS, IN_CLUSTER, OUTSIDE),
    "13-redis-tls-acl": (Exposure.INGRESS, IN_CLAIMS, IN_CLUSTER, OUTSIDE),
    "14-pg-verify-full": (Exposure.INGRESS, IN_CLAIMS, OUTSIDE, IN_CLUSTER),
    "15-internaltls-auto": (Exposure.OWN_PROXY, IN_CLAIMS, IN_CLUSTER, IN_CLUSTER),
    "16-internaltls-secret": (Exposure.INGRESS, IN_CLAIMS, IN_CLUSTER, IN_CLUSTER),
    "18-trivy-metrics-cache": (Exposure.INGRESS, IN_CLAIMS, IN_CLUSTER, IN_CLUSTER),
    "20-joblogs-file-rwo": (Exposure.INGRESS, IN_CLAIMS, IN_CLUSTER, IN_CLUSTER),
    "21-sidecars": (Exposure.INGRESS, IN_CLAIMS, IN_CLUSTER, IN_CLUSTER),
    "22-ipv6": (Exposure.OWN_PROXY, IN_CLAIMS, OUTSIDE, OUTSIDE),
    "23-internal-stores-ha-looking": (Exposure.INGRESS, IN_CLAIMS, IN_CLUSTER, IN_CLUSTER),
    "24-no-persistence": (Exposure.INGRESS, ImageStore.CONTAINER, IN_CLUSTER, IN_CLUSTER),
    "25-redis-url-by-variable": (Exposure.INGRESS, IN_CLAIMS, IN_CLUSTER, OUTSIDE),
    "b1-bitnami-defaults": (Exposure.OWN_PROXY, IN_CLAIMS, IN_CLUSTER, IN_CLUSTER),
    "b2-bitnami-ha": (Exposure.INGRESS, IN_CLAIMS, IN_CLUSTER, IN_CLUSTER),
}
OF_THE_FRONT_DOOR = {
    "configuration.front-door-answers-on-every-node",
    "failover.front-door-abrupt-pod-kill",
    "failover.front-door-pod-kill",
}


@pytest.mark.parametrize("name", deployments.NAMES)
def test_a_deployment_is_known_for_what_it_is_and_gets_the_verdict_that_it_deserves(name):
    with harbor_of(deployments.text_of(name)) as (harbor, facts):
        found, own_door = verdicts_on(harbor, facts), Role.FRONT_DOOR in harbor.deployment.workloads
    values = (facts.exposure, facts.images, facts.database, facts.session_store)
    assert harbor.profile.name == "harbor-2"
    assert tuple(each.value for each in values) == FACTS[name]
    assert own_door is (facts.exposure.value is Exposure.OWN_PROXY)
    assert facts.internal_tls.value is ("internaltls" in name)
    lacks_door = {id for id, lacks in lacking(facts).items() if "front door" in lacks}
    assert lacks_door == (set() if own_door else OF_THE_FRONT_DOOR)
    deserved = VERDICTS[name]
    assert {id: set(map(_plain, objects)) for id, objects in found.red.items()} == deserved.red()
    assert set(found.not_applicable) == deserved.not_applicable()
    assert set(found.blocked) == deserved.blocked()
    assert not found.unknown


OF_CONTAINERS = {
    "configuration.registry-config-mounted-where-it-is-read",
    "configuration.registry-root-inside-volume",
    "storage.volume-mounted-in-every-replica",
}


@pytest.mark.parametrize("name", ["02-ha-documented", "08-s3-no-pvc"])
def test_images_without_a_shell_block_what_must_look_into_containers_and_turn_nothing_red(name):
    def run(replica, argv, *, container=None):
        raise ProgramMissing(f"container {container or replica.container.name} cannot run `{argv[0]}`")

    with harbor_of(deployments.text_of(name)) as (harbor, facts):
        harbor.run = run
        found = verdicts_on(harbor, facts)
    deserved = VERDICTS[name]
    assert set(found.red) == set(deserved.red())
    assert set(found.blocked) == deserved.blocked() | (OF_CONTAINERS - deserved.not_applicable())
    assert not found.unknown


def _plain(thing: str) -> str:
    """Without what a pod is called here, and on which node it is."""
    return thing.partition(" (")[0]
