"""Each check on a Harbor of a few lines: green on a sound one, red with every offender on a broken one."""

from types import SimpleNamespace

import pytest
from kubernetes import client

from harbor_verify.clients.harbor import Credentials, Session
from harbor_verify.clients.registry import Challenge
from harbor_verify.errors import NoAnswer, NotApplicable, UnexpectedAnswer
from harbor_verify.model.roles import Role
from harbor_verify.model.volumes import Volume
from harbor_verify.model.workloads import Replica, Workload
from suites.access.test_login import test_login_with_the_right_password_is_accepted_on_every_replica as login
from suites.configuration.test_registry_configuration import test_registry_config_is_in_effect as in_effect
from suites.configuration.test_registry_configuration import (
    test_registry_config_is_mounted_where_it_is_read as mounted,
)
from suites.sessions.test_shared_sessions import (
    test_session_opened_on_one_replica_is_known_to_every_other as shared,
)
from suites.storage.test_claims import test_every_claim_that_harbor_uses_is_bound as bound
from suites.storage.test_volumes import test_a_claim_gets_the_capacity_that_it_asks_for as capacious
from suites.storage.test_volumes import test_a_claim_of_several_replicas_can_be_shared as shareable
from suites.storage.test_volumes import test_a_volume_outlives_its_claim as retained
from tests.unit.running import examine, never, not_applicable, offenders_of

REALM = "http://h.example/service/token"
CONFIG = f"version: 0.1\nstorage: {{}}\nauth: {{token: {{realm: '{REALM}', service: harbor-registry, issuer: i}}}}\n"
CMDLINES = "/pause\0sh\0-c\0cat /proc/[0-9]*/cmdline\0registry\0serve\0/etc/registry/config.yml\0"


# storage.claims-bound


def volume(phase):
    claim = client.V1PersistentVolumeClaim(
        spec=client.V1PersistentVolumeClaimSpec(
            access_modes=["ReadWriteMany"],
            resources=client.V1VolumeResourceRequirements(requests={"storage": "5Gi"}),
            selector=client.V1LabelSelector(match_labels={"type": "registry"}),
        ),
        status=client.V1PersistentVolumeClaimStatus(phase=phase),
    )
    return Volume("harbor", f"{phase.lower()}-pvc", claim, None, ("registry-rc",))


def sharing(target):
    examine(shareable, target, never)


def with_volumes(*volumes):
    return SimpleNamespace(deployment=SimpleNamespace(volumes=lambda: list(volumes)))


def test_claims_that_are_bound_are_well():
    examine(bound, with_volumes(volume("Bound")))


def test_claims_that_are_not_bound_are_named_with_what_they_ask_for():
    absent = Volume("harbor", "log-pvc", None, None, ("jobservice-rc",))
    offenders = offenders_of(bound, with_volumes(volume("Bound"), volume("Pending"), absent))
    assert [o.object for o in offenders] == [
        "PersistentVolumeClaim harbor/pending-pvc",
        "PersistentVolumeClaim harbor/log-pvc",
    ]
    assert "ReadWriteMany 5Gi of a volume labelled type=registry" in offenders[0].observed
    assert "no such claim" in offenders[1].observed


def a_claim(
    modes=("ReadWriteMany",), asked="5Gi", given="5Gi", policy="Retain", phase="Bound", used_by="registry-rc"
):
    claim = client.V1PersistentVolumeClaim(
        spec=client.V1PersistentVolumeClaimSpec(
            resources=client.V1VolumeResourceRequirements(requests={"storage": asked})
        ),
        status=client.V1PersistentVolumeClaimStatus(
            phase=phase, access_modes=list(modes), capacity={"storage": given}
        ),
    )
    spec = client.V1PersistentVolumeSpec(persistent_volume_reclaim_policy=policy)
    bound_to = client.V1PersistentVolume(metadata=client.V1ObjectMeta(name="pv"), spec=spec)
    target = with_volumes(Volume("harbor", "pvc", claim, bound_to if policy else None, (used_by,)))
    replicas = {"registry-rc": 3, "jobservice-rc": 1}
    workloads = [SimpleNamespace(name=name, desired=count) for name, count in replicas.items()]
    target.deployment.workloads = {workload.name: workload for workload in workloads}
    return target


@pytest.mark.parametrize("of_volumes", [sharing, capacious, retained])
def test_a_claim_as_it_should_be_is_well(of_volumes):
    examine(of_volumes, a_claim(given="5120Mi"))


@pytest.mark.parametrize(
    "of_volumes, target, told",
    [
        (sharing, a_claim(modes=["ReadWriteOnce"]), "ReadWriteOnce"),
        (sharing, a_claim(modes=[], phase="Pending"), "none: phase Pending"),
        (capacious, a_claim(given="4Gi"), "4Gi"),
        (capacious, a_claim(phase="Lost"), "phase Lost"),
        (retained, a_claim(policy="Delete"), "Delete"),
        (retained, a_claim(policy=None, phase="Pending"), "no volume: phase Pending"),
    ],
)
def test_a_claim_that_is_not_as_it_should_be_is_named(of_volumes, target, told):
    (offender,) = offenders_of(of_volumes, target)
    assert told in offender.observed


def test_a_claim_of_one_replica_need_not_be_shared():
    with pytest.raises(NotApplicable, match="several replicas"):
        examine(shareable, a_claim(modes=["ReadWriteOnce"], used_by="jobservice-rc"), not_applicable)


@pytest.mark.parametrize("of_volumes", [bound, capacious, retained])
def test_to_a_harbor_without_claims_checks_of_claims_are_not_applicable(of_volumes):
    with pytest.raises(NotApplicable, match="no PersistentVolumeClaim"):
        examine(of_volumes, with_volumes(), not_applicable)


# configuration.*


def registry_replica(ordinal, *, mount_path="/etc/registry", args=None, key="config"):
    container = client.V1Container(
        name="registry-app",
        args=args,
        volume_mounts=[client.V1VolumeMount(name="config", mount_path=mount_path)],
    )
    items = [client.V1KeyToPath(key=key, path="config.yml")]
    source = client.V1ConfigMapVolumeSource(name="cm", items=items)
    pod = client.V1Pod(
        metadata=client.V1ObjectMeta(name=f"registry-rc-{ordinal}", namespace="harbor", uid=str(ordinal)),
        spec=client.V1PodSpec(
            containers=[container], volumes=[client.V1Volume(name="config", config_map=source)]
        ),
        status=client.V1PodStatus(phase="Running"),
    )
    workload = Workload(Role.REGISTRY, "ReplicationController", "harbor", "registry-rc", 2, (), None, 5000)
    return Replica(workload, ordinal, pod)


def registry_target(*replicas, cmdlines=CMDLINES, config=CONFIG, challenge=None):
    return SimpleNamespace(
        replicas=lambda role: list(replicas),
        deployment=SimpleNamespace(
            config_map=lambda name: {"config": config, "cert": "x"},
            secret=lambda name: None,
            environment=lambda replica: {},
        ),
        run=lambda replica, argv: cmdlines,
        anonymous_registry=lambda replica: SimpleNamespace(challenge=lambda: challenge(replica)),
    )


def test_a_configuration_that_is_mounted_where_the_running_registry_reads_it_is_well():
    needed = []
    examine(mounted, registry_target(registry_replica(0), registry_replica(1)), needed.append)
    assert needed == ["exec", "exec"]


def test_a_path_in_the_spec_needs_no_exec():
    examine(mounted, registry_target(registry_replica(0, args=["serve", "/etc/registry/config.yml"])), never)


@pytest.mark.parametrize(
    "target, told",
    [
        (
            registry_target(registry_replica(0, mount_path="/etc/docker/registry")),
            "as /etc/docker/registry/config.yml; /etc/registry/config.yml is the image's own",
        ),
        (
            registry_target(registry_replica(0), cmdlines="registry\0serve\0/x.yml\0"),
            "/x.yml is the image's own",
        ),
        (
            registry_target(registry_replica(0, key="cert")),
            "no ConfigMap or Secret with a registry configuration",
        ),
        (registry_target(registry_replica(0), cmdlines="sh\0"), "ConfigMap cm is shown as"),
    ],
)
def test_a_configuration_that_is_mounted_elsewhere_is_named_with_both_places(target, told):
    (offender,) = offenders_of(mounted, target, lambda need: None)
    assert "pod harbor/registry-rc-0 (registry-0" in offender.object
    assert told in offender.observed


def challenge(status=401, scheme="Bearer", realm=REALM, service="harbor-registry"):
    return Challenge(status, scheme, realm, service, f"GET /v2/ → {status}")


def test_a_challenge_as_configured_is_well():
    examine(in_effect, registry_target(registry_replica(0), challenge=lambda _: challenge()))


@pytest.mark.parametrize(
    "wrong",
    [
        challenge(status=200, scheme="", realm="", service=""),
        challenge(realm="http://elsewhere/service/token"),
        challenge(service="other"),
        challenge(scheme="Basic"),
    ],
)
def test_the_one_replica_that_challenges_otherwise_is_named(wrong):
    target = registry_target(
        registry_replica(0),
        registry_replica(1),
        challenge=lambda replica: wrong if replica.ordinal else challenge(),
    )
    (offender,) = offenders_of(in_effect, target)
    assert "registry-1" in offender.object
    assert REALM in offender.expected


def test_a_registry_that_asks_for_a_password_is_well_where_its_configuration_says_so():
    config = "version: 0.1\nstorage: {}\nauth: {htpasswd: {realm: inner, path: /etc/registry/passwd}}\n"
    asks = challenge(scheme="Basic", realm="inner", service="")
    examine(in_effect, registry_target(registry_replica(0), config=config, challenge=lambda _: asks))
    other = registry_target(registry_replica(0), config=config, challenge=lambda _: challenge())
    assert 'Basic challenge, realm "inner"' in offenders_of(in_effect, other)[0].expected


def test_a_registry_that_is_silent_or_has_no_token_configuration_is_red():
    def silent(replica):
        raise NoAnswer("GET /v2/ at registry-0: no answer", sent=False)

    assert (
        "no answer"
        in offenders_of(in_effect, registry_target(registry_replica(0), challenge=silent))[0].observed
    )
    open_to_all = registry_target(registry_replica(0), config="version: 0.1\nstorage: {}\n", challenge=silent)
    assert "nothing asks who one is" in offenders_of(in_effect, open_to_all)[0].observed


# access.* and sessions.*


class FakeWeb:
    """One web replica. `store` is where it keeps sessions."""

    def __init__(self, name, store, *, broken=None, forgets=False, takes_for="admin"):
        self.name, self.store, self.broken, self.forgets = name, store, broken, forgets
        self.takes_for = takes_for

    def sign_in(self, credentials):
        if self.broken:
            raise self.broken
        if not self.forgets:
            self.store.add(self.name)
        return Session(credentials.user, self.name)

    def whoami(self, session):
        if isinstance(self.broken, NoAnswer):
            raise self.broken
        return self.takes_for if session.cookie in self.store else None

    def symptoms(self):
        return "adminserver: answers; database: GET /api/projects → 500"


def web_target(*webs):
    replicas = [SimpleNamespace(name=web.name, object=f"pod {web.name}") for web in webs]
    by_name = {web.name: web for web in webs}
    return SimpleNamespace(
        replicas=lambda role: replicas,
        workload=lambda role: SimpleNamespace(object="ReplicationController harbor/ui-rc"),
        web=lambda replica: by_name[replica.name],
        credentials=Credentials("Admin", "x"),
        user=Credentials("Admin", "x"),
        client=Credentials("Admin", "x"),
    )


def three(**third):
    store = set()
    return [
        FakeWeb("ui-0", store),
        FakeWeb("ui-1", store),
        FakeWeb("ui-2", third.pop("store", store), **third),
    ]


def test_a_login_that_is_known_afterwards_is_well():
    examine(login, web_target(*three()))


@pytest.mark.parametrize(
    "third, told",
    [
        (
            {"broken": UnexpectedAnswer("POST /login → 401", status=401)},
            "401. adminserver: answers; database: GET",
        ),
        ({"broken": NoAnswer("no answer", sent=True)}, "no answer"),
        ({"forgets": True}, "its own session is unknown"),
        ({"takes_for": "dev1"}, "is dev1 afterwards"),
    ],
)
def test_the_one_replica_that_does_not_let_the_administrator_in_is_named(third, told):
    (offender,) = offenders_of(login, web_target(*three(**third)))
    assert offender.object == "pod ui-2"
    assert told in offender.observed


def test_sessions_in_one_store_are_known_everywhere():
    examine(shared, web_target(*three()), never)


def test_every_pair_with_a_replica_of_another_store_is_named():
    offenders = offenders_of(shared, web_target(*three(store=set())), never)
    assert {(o.object, o.expected.split()[-2]) for o in offenders} == {
        ("pod ui-2", "ui-0"),
        ("pod ui-2", "ui-1"),
        ("pod ui-0", "ui-2"),
        ("pod ui-1", "ui-2"),
    }


def test_without_a_store_every_pair_is_named():
    webs = [FakeWeb(f"ui-{n}", set()) for n in range(3)]
    assert len(offenders_of(shared, web_target(*webs), never)) == 6


def test_a_replica_that_refuses_or_confuses_sessions_is_named():
    silent = three(broken=NoAnswer("no answer", sent=True))
    assert {o.object for o in offenders_of(shared, web_target(*silent), never)} == {"pod ui-2"}
    confused = three(takes_for="dev1")
    assert {o.observed for o in offenders_of(shared, web_target(*confused), never)} == {"takes it for dev1's"}


def test_one_replica_has_no_other_to_share_with():
    with pytest.raises(NotApplicable, match="one replica"):
        examine(shared, web_target(FakeWeb("ui-0", set())), not_applicable)
