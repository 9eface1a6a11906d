"""The checks of storage on a Harbor of a few lines: green on a sound one, red with every offender on a broken one."""

from types import SimpleNamespace

import pytest
from kubernetes import client

from harbor_verify.clients.image import Image
from harbor_verify.errors import (
    CannotTell,
    DeadlinePassed,
    HealFailed,
    NeedMissing,
    NoAnswer,
    NotApplicable,
    ProgramMissing,
    UnexpectedAnswer,
    WrongContent,
)
from harbor_verify.model.roles import Role
from harbor_verify.model.volumes import Volume
from harbor_verify.model.workloads import Replica, Workload
from harbor_verify.profiles import harbor_1_2
from suites.storage import test_survival as survival
from suites.storage.test_binding import (
    test_a_claim_is_bound_to_the_volume_that_it_asks_for_and_to_no_other_claims as intended,
)
from suites.storage.test_mounts import test_a_claim_is_mounted_and_writable_in_every_replica as mounted
from tests.unit.running import examine, not_applicable, offenders_of

# storage.claims-bound-to-intended-volume


def claim(
    kind, *, phase="Bound", selector=True, volume=True, labels=None, reference=None, path=None, mounted=("",)
):
    """A claim `kind`-pvc and the volume that it is bound to, sound but for what is given."""
    name = f"{kind}-pvc"
    asked = client.V1LabelSelector(match_labels={"type": kind}) if selector else None
    pvc = client.V1PersistentVolumeClaim(
        metadata=client.V1ObjectMeta(name=name, uid=f"uid-{kind}"),
        spec=client.V1PersistentVolumeClaimSpec(
            selector=asked, volume_name=f"{kind}-pv" if phase == "Bound" else None
        ),
        status=client.V1PersistentVolumeClaimStatus(phase=phase),
    )
    namespace, named, uid = reference or ("harbor", name, f"uid-{kind}")
    pv = client.V1PersistentVolume(
        metadata=client.V1ObjectMeta(name=f"{kind}-pv", labels={"type": kind} if labels is None else labels),
        spec=client.V1PersistentVolumeSpec(
            claim_ref=client.V1ObjectReference(namespace=namespace, name=named, uid=uid) if named else None,
            cephfs=client.V1CephFSPersistentVolumeSource(monitors=["m:6789"], path=path or f"/apps/{kind}"),
        ),
    )
    has_volume = volume and phase == "Bound"
    return Volume("harbor", name, pvc, pv if has_volume else None, (f"{kind}-rc",), frozenset(mounted))


def with_volumes(*volumes):
    return SimpleNamespace(deployment=SimpleNamespace(volumes=lambda: list(volumes)))


def test_claims_on_the_volumes_that_they_ask_for_are_well():
    examine(intended, with_volumes(claim("registry"), claim("log")))


def test_a_claim_without_a_selector_may_have_any_volume_that_names_it():
    examine(intended, with_volumes(claim("registry", selector=False, labels={})))


@pytest.mark.parametrize(
    "broken, expected, observed",
    [
        (claim("log", phase="Pending"), "labelled type=log", "phase Pending"),
        (Volume("harbor", "log-pvc", None, None, ()), "bound to a volume", "no such claim"),
        (claim("log", volume=False), "labelled type=log", "log-pv, which is not there"),
        (claim("log", labels={"type": "old"}), "labelled type=log", "log-pv, labelled type=old"),
        (claim("log", labels={}), "labelled type=log", "labelled not at all"),
        (
            claim("log", reference=("harbor", "log-pvc", "uid-before")),
            "names this claim, UID uid-log",
            "harbor/log-pvc with UID uid-before",
        ),
        (
            claim("log", selector=False, reference=("other", "log-pvc", "uid-log")),
            "names this claim",
            "other/log-pvc",
        ),
        (claim("log", reference=("", None, "")), "names this claim", "no claimRef"),
    ],
)
def test_a_claim_on_another_volume_than_it_asks_for_is_named(broken, expected, observed):
    (offender,) = offenders_of(intended, with_volumes(claim("registry"), broken))
    assert offender.object == "PersistentVolumeClaim harbor/log-pvc"
    assert expected in offender.expected
    assert observed in offender.observed


def test_two_claims_of_one_folder_are_named_together():
    (offender,) = offenders_of(
        intended, with_volumes(claim("registry"), claim("log", path="/apps/registry/"))
    )
    assert offender.object == "CephFS m:6789:/apps/registry"
    assert offender.observed == "is that of registry-pvc, log-pvc"


@pytest.mark.parametrize(
    "registry, log, together",
    [
        (("registry",), ("logs",), False),
        (("registry",), ("registry-logs",), False),
        (("registry", "cache"), ("logs",), False),
        (("registry",), ("",), True),
        (("registry",), ("registry",), True),
        (("data/registry",), ("data",), True),
        (("registry", "logs"), ("logs",), True),
    ],
)
def test_two_volumes_of_one_export_may_be_kept_apart_by_the_folders_that_are_mounted(registry, log, together):
    volumes = with_volumes(
        claim("registry", path="/export", mounted=registry), claim("log", path="/export", mounted=log)
    )
    if together:
        (offender,) = offenders_of(intended, volumes)
        assert offender.object == "CephFS m:6789:/export"
    else:
        examine(intended, volumes)


def test_two_claims_of_one_volume_are_named_together():
    second = claim("log", reference=("harbor", "registry-pvc", "uid-registry"))
    second.claim.spec.volume_name = "registry-pv"
    offenders = offenders_of(intended, with_volumes(claim("registry"), second))
    assert {o.object for o in offenders} == {
        "PersistentVolume registry-pv",
        "PersistentVolumeClaim harbor/log-pvc",
    }


def test_to_a_harbor_without_claims_it_is_not_applicable():
    with pytest.raises(NotApplicable, match="no PersistentVolumeClaim"):
        examine(intended, with_volumes(), not_applicable)


# storage.volume-mounted-in-every-replica

OVERLAY = "overlay / overlay rw,relatime 0 0\n"
STORAGE = "ceph-fuse /storage fuse.ceph-fuse rw,nosuid 0 0\n"
SOUND = OVERLAY + STORAGE


def spec(*paths, name="registry-app", claims=("registry-pvc",)):
    mounts = [client.V1VolumeMount(name="storage", mount_path=path) for path in paths]
    volumes = [
        client.V1Volume(
            name="storage",
            persistent_volume_claim=client.V1PersistentVolumeClaimVolumeSource(claim_name=claim_name),
        )
        for claim_name in claims
    ]
    return client.V1PodSpec(containers=[client.V1Container(name=name, volume_mounts=mounts)], volumes=volumes)


def with_another(path="/storage", *, image="goharbor/harbor-registryctl:v2.15.2", read_only=None):
    """The registry, and beside it a container that mounts the same claim."""
    made = spec("/storage")
    mounts = [client.V1VolumeMount(name="storage", mount_path=path, read_only=read_only)]
    made.containers.append(client.V1Container(name="controller", image=image, volume_mounts=mounts))
    return made


def registry(count=2, *, template=None, pod=None, running=True):
    """A workload with `count` replicas; `pod` is the specification of the last."""
    workload = Workload(
        Role.REGISTRY,
        "ReplicationController",
        "harbor",
        "registry-rc",
        count,
        (),
        client.V1PodTemplateSpec(spec=template or spec("/storage")),
        5000,
    )
    replicas = []
    for ordinal in range(count):
        last = ordinal == count - 1
        state = client.V1ContainerState(
            running=client.V1ContainerStateRunning() if running or not last else None
        )
        statuses = [
            client.V1ContainerStatus(
                name=name, image="", image_id="", ready=True, restart_count=0, state=state
            )
            for name in ("registry-app", "controller")
        ]
        ready = running or not last
        replicas.append(
            Replica(
                workload,
                ordinal,
                client.V1Pod(
                    metadata=client.V1ObjectMeta(
                        name=f"registry-rc-{ordinal}", namespace="harbor", uid=str(ordinal)
                    ),
                    spec=(pod if last and pod else workload.template.spec),
                    status=client.V1PodStatus(
                        phase="Running" if ready else "Pending",
                        conditions=[client.V1PodCondition(type="Ready", status=str(ready))],
                        container_statuses=statuses,
                    ),
                ),
            )
        )
    return workload, replicas


def with_mounts(workload_and_replicas, table=SOUND, real_path=None, *, of="registry-app"):
    """Every container of every replica is sound, but for one of the last: `table` is what that has mounted."""
    workload, replicas = workload_and_replicas

    def run(replica, argv, *, container):
        if argv[0] == "cat":
            is_that = replica is replicas[-1] and container == of
            if is_that and table is None:
                raise ProgramMissing(f"container {container} cannot run `cat`")
            return table if is_that else SOUND
        return f"{real_path or argv[-1]}\n"

    return SimpleNamespace(
        deployment=SimpleNamespace(
            workloads={
                Role.REGISTRY: workload,
                Role.WEB: SimpleNamespace(template=client.V1PodTemplateSpec(spec=spec("/x", claims=()))),
            },
            replicas=lambda role: replicas,
        ),
        run=run,
    )


@pytest.mark.parametrize(
    "table",
    [
        SOUND,
        # A folder of the volume, by subPath: the kubelet binds it, and another replica has another.
        OVERLAY + "10.0.0.1:6789:/apps/registry/pod-1 /storage ceph rw 0 0\n",
        OVERLAY + "tmpfs /storage tmpfs ro 0 0\n" + STORAGE,
    ],
)
def test_a_claim_that_is_mounted_writable_is_well(table):
    examine(mounted, with_mounts(registry(), table))


def test_a_mount_behind_a_symbolic_link_is_found():
    table = OVERLAY + "ceph-fuse /run/storage fuse.ceph-fuse rw 0 0\n"
    examine(
        mounted,
        with_mounts(registry(template=spec("/var/run/storage/"), count=1), table, real_path="/run/storage"),
    )


@pytest.mark.parametrize(
    "table, told",
    [
        (OVERLAY, "no mount of its own there"),
        (OVERLAY + "overlay /storage overlay rw 0 0\n", "the container's own file system"),
        (OVERLAY + "ceph-fuse /storage fuse.ceph-fuse ro 0 0\n", "fuse.ceph-fuse, ro"),
    ],
)
def test_the_one_replica_without_a_writable_mount_is_named(table, told):
    (offender,) = offenders_of(mounted, with_mounts(registry(), table))
    assert "registry-1" in offender.object
    assert offender.expected == "claim registry-pvc is mounted at /storage, writable"
    assert told in offender.observed


def test_a_replica_that_is_pending_is_named_and_nothing_is_run_in_it():
    target = with_mounts(registry(1, running=False))
    target.run = None
    (offender,) = offenders_of(mounted, target)
    assert offender.observed == "its container does not run: Pending"


def test_a_pod_that_is_not_as_its_template_is_named():
    (offender,) = offenders_of(mounted, with_mounts(registry(pod=spec("/old"))))
    assert "specification does not have this mount" in offender.observed
    (offender,) = offenders_of(mounted, with_mounts(registry(pod=spec("/storage", claims=("other-pvc",)))))
    assert "specification does not have this mount" in offender.observed


READ_ONLY = OVERLAY + STORAGE.replace("rw", "ro")
AT_ANOTHER_PLACE = OVERLAY + STORAGE.replace("/storage", "/data")


@pytest.mark.parametrize(
    "template, table, told",
    [
        (with_another(), READ_ONLY, "fuse.ceph-fuse, ro"),
        (with_another(read_only=True), READ_ONLY, "fuse.ceph-fuse, ro"),
        (with_another(image="log-copier:1"), READ_ONLY, "fuse.ceph-fuse, ro"),
        (with_another(), OVERLAY, "no mount of its own there"),
    ],
)
def test_the_other_container_that_mounts_the_claim_has_it_too(template, table, told):
    """By it garbage collection deletes; the registry's own is sound."""
    target = with_mounts(registry(template=template), table, of="controller")
    (offender,) = offenders_of(mounted, target)
    assert "registry-1" in offender.object
    assert offender.expected == "claim registry-pvc is mounted at /storage in container controller, writable"
    assert told in offender.observed


@pytest.mark.parametrize(
    "template, table",
    [
        (with_another("/data"), AT_ANOTHER_PLACE),
        # What is none of Harbor's own, and is said to read alone.
        (with_another(image="log-copier:1", read_only=True), READ_ONLY),
    ],
)
def test_another_container_with_the_claim_as_its_template_says_is_well(template, table):
    target = with_mounts(registry(1, template=template), table, of="controller")
    examine(mounted, target)


def test_another_container_that_the_pod_has_not_or_that_does_not_run_is_named():
    (offender,) = offenders_of(mounted, with_mounts(registry(template=with_another(), pod=spec("/storage"))))
    assert offender.observed == "its pod's specification does not have this mount"
    assert "in container controller" in offender.expected
    workload, replicas = registry(template=with_another())
    replicas[-1].pod.status.container_statuses[-1].state = client.V1ContainerState()
    (offender,) = offenders_of(mounted, with_mounts((workload, replicas)))
    assert offender.observed.startswith("its container does not run")
    assert "in container controller" in offender.expected


def test_another_container_without_programs_blocks_what_is_about_it_and_nothing_else():
    with pytest.raises(NeedMissing, match="container controller cannot run"):
        examine(mounted, with_mounts(registry(template=with_another()), None, of="controller"))
    workload, replicas = registry(template=with_another())
    target = with_mounts((workload, replicas), OVERLAY)
    looked = target.run

    def run(replica, argv, *, container):
        if container == "controller":
            raise ProgramMissing(f"container {container} cannot run `cat`")
        return looked(replica, argv, container=container)

    target.run = run
    (offender,) = offenders_of(mounted, target)
    assert "no mount of its own there" in offender.observed


def test_a_claim_that_no_container_mounts_is_named():
    (offender,) = offenders_of(mounted, with_mounts(registry(template=spec())))
    assert offender.object == "ReplicationController harbor/registry-rc"
    assert "claim registry-pvc" in offender.expected


def test_a_workload_without_pods_is_named():
    (offender,) = offenders_of(mounted, with_mounts(registry(0)))
    assert offender.observed == "no pod"


# storage.image-survives-registry-pod-deletion

IMAGE = Image.make(b"x", run_id="r")


class FakeRegistry:
    """Keeps images where `store` is."""

    def __init__(self, store, *, refuses=None, alters=False):
        self.store, self.refuses, self.alters = store, refuses, alters

    def push(self, image, repository, tag):
        if self.refuses:
            raise self.refuses
        self.store[image.digest] = image
        return image.digest

    def pull(self, repository, reference):
        if self.refuses:
            raise self.refuses
        if reference not in self.store:
            raise UnexpectedAnswer("GET /v2/p/survivor/manifests → 404", status=404)
        return Image.make(b"y", run_id="r") if self.alters else self.store[reference]


class FakeKill:
    """A pod kill that does `then` in place of the kill."""

    def __init__(self, then=lambda: None, *, unprepared=None, unhealed=None):
        self.then, self.unprepared, self.unhealed = then, unprepared, unhealed

    def __enter__(self):
        if self.unprepared:
            raise self.unprepared
        self.then()
        return self

    def prove(self):
        pass

    def __exit__(self, *_):
        if self.unhealed:
            raise self.unhealed


def late(text):
    """A heal that was waited for in vain, as the API shows it."""
    error = HealFailed(text)
    error.__cause__ = DeadlinePassed(text)
    return error


def surviving(monkeypatch, *registries, kill=None, ready=True):
    replicas = [
        SimpleNamespace(
            name=f"registry-{n}", object=f"pod registry-{n}", ready=ready or n > 0, state="not Ready"
        )
        for n in range(len(registries))
    ]
    workload = SimpleNamespace(object="ReplicationController harbor/registry-rc", desired=len(registries))
    workload.short_name = "registry"
    monkeypatch.setattr(survival, "pod_kill", lambda *_: kill or FakeKill())
    harbor = SimpleNamespace(
        workload=lambda role: workload,
        replicas=lambda role: replicas,
        registry=lambda replica: registries[replicas.index(replica)],
        deployment=SimpleNamespace(replicas=lambda role: replicas),
        profile=harbor_1_2.PROFILE,
        settings=SimpleNamespace(converge_timeout_s=600),
    )
    return harbor, "p", lambda: IMAGE, None, None, lambda text: None


outlives = survival.test_an_image_outlives_the_registry_pod_that_took_it


def test_an_image_on_a_shared_volume_outlives_its_pod(monkeypatch):
    store = {}
    examine(outlives, *surviving(monkeypatch, FakeRegistry(store), FakeRegistry(store)))
    assert list(store) == [IMAGE.digest]


def test_an_image_in_the_pod_is_missed_on_every_replica(monkeypatch):
    in_the_pod = {}
    kill = FakeKill(in_the_pod.clear)
    given = surviving(monkeypatch, FakeRegistry(in_the_pod), FakeRegistry({}), kill=kill)
    offenders = offenders_of(outlives, *given)
    assert [o.object for o in offenders] == ["pod registry-0", "pod registry-1"]
    assert IMAGE.digest in offenders[0].expected
    assert "404" in offenders[0].observed


@pytest.mark.parametrize(
    "second, told",
    [
        ({"alters": True}, "other bytes"),
        ({"refuses": NoAnswer("no answer", sent=True)}, "no answer"),
        ({"refuses": WrongContent("bytes of another digest")}, "another digest"),
    ],
)
def test_the_one_replica_that_does_not_give_it_back_is_named(monkeypatch, second, told):
    store = {}
    given = surviving(monkeypatch, FakeRegistry(store), FakeRegistry(store, **second))
    (offender,) = offenders_of(outlives, *given)
    assert offender.object == "pod registry-1"
    assert told in offender.observed


def test_nothing_is_deleted_when_the_push_is_refused_or_the_workload_is_not_whole(monkeypatch):
    def never():
        raise AssertionError("a pod was deleted")

    refusing = FakeRegistry({}, refuses=UnexpectedAnswer("POST → 500", status=500))
    given = surviving(monkeypatch, refusing, FakeRegistry({}), kill=FakeKill(never))
    (offender,) = offenders_of(outlives, *given)
    assert (offender.object, offender.observed) == ("pod registry-0", "POST → 500")

    given = surviving(monkeypatch, FakeRegistry({}), FakeRegistry({}), kill=FakeKill(never), ready=False)
    (offender,) = offenders_of(outlives, *given)
    assert "2 Ready replicas" in offender.expected

    store = {}
    kill = FakeKill(never, unprepared=CannotTell("registry is not whole: Service registry"))
    given = surviving(monkeypatch, FakeRegistry(store), FakeRegistry(store), kill=kill)
    (offender,) = offenders_of(outlives, *given)
    assert "Service registry" in offender.observed


def test_a_pod_that_is_not_replaced_is_a_failure_and_one_that_is_not_deleted_is_no_verdict(monkeypatch):
    store = {}
    kill = FakeKill(unhealed=late("pod-kill registry-0 is not healed"))
    given = surviving(monkeypatch, FakeRegistry(store), FakeRegistry(store), kill=kill)
    (offender,) = offenders_of(outlives, *given)
    assert "replaced" in offender.expected

    kill = FakeKill(unhealed=DeadlinePassed("the pod is still there"))
    with pytest.raises(DeadlinePassed):
        examine(outlives, *surviving(monkeypatch, FakeRegistry(store), FakeRegistry(store), kill=kill))


def test_without_a_replica_that_could_be_asked_for_the_image_nothing_is_shown(monkeypatch):
    harbor, *fixtures = surviving(monkeypatch, FakeRegistry({}))
    harbor.deployment.replicas = lambda role: []
    with pytest.raises(CannotTell, match="no replica is left"):
        examine(outlives, harbor, *fixtures)


def test_a_pod_that_is_gone_and_gets_no_successor_is_a_failure_and_the_others_are_asked(monkeypatch):
    store = {}
    kill = FakeKill(store.clear, unhealed=late("last seen: 1 of 2 replicas Ready"))
    offenders = offenders_of(
        outlives, *surviving(monkeypatch, FakeRegistry(store), FakeRegistry(store), kill=kill)
    )
    assert "replaced" in offenders[0].expected
    assert offenders[0].observed == "last seen: 1 of 2 replicas Ready"
    assert [o.object for o in offenders[1:]] == ["pod registry-0", "pod registry-1"]
