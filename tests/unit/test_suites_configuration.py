"""The checks of configuration that are about settings, on a Harbor of a few lines: green on a sound one, red with
every offender on a broken one.
"""

import base64
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from kubernetes import client

from harbor_verify.clients.harbor import Credentials
from harbor_verify.errors import CannotTell, NoAnswer, NotApplicable, ProgramMissing, UnexpectedAnswer
from harbor_verify.model.roles import Role
from harbor_verify.profiles import harbor_1_2
from suites.configuration import test_token_key as token_key
from suites.configuration.test_configuration_store import (
    test_every_replica_of_the_configuration_store_answers_the_same as agree,
)
from suites.configuration.test_configuration_store import (
    test_the_configuration_store_answers_the_database_that_its_environment_names as database_agrees,
)
from suites.configuration.test_registry_configuration import (
    test_registry_keeps_images_on_a_volume as on_a_volume,
)
from suites.configuration.test_session_store import (
    test_every_web_replica_is_given_the_same_session_store as session_store,
)
from tests.unit.containers import BEFORE, LATER, answer
from tests.unit.running import examine, never, not_applicable, offenders_of

SILENT = NoAnswer("no answer", sent=True)


def replica(name, **more):
    return SimpleNamespace(name=name, object=f"pod {name}", **more)


# configuration.registry-root-inside-volume

CONFIG = "version: 0.1\nstorage: {{{}}}\nauth: {{token: {{rootcertbundle: /etc/registry/root.crt}}}}\n"
FILES = CONFIG.format("filesystem: {rootdirectory: /storage}")
SAMPLE = CONFIG.format("filesystem: {rootdirectory: /var/lib/registry}")


def registry(*, config_at="/etc/registry", storage_at="/storage", args=("serve", "/etc/registry/config.yml")):
    container = client.V1Container(
        name="registry-app",
        args=list(args),
        volume_mounts=[
            client.V1VolumeMount(name="config", mount_path=config_at),
            client.V1VolumeMount(name="storage", mount_path=storage_at, sub_path_expr="$(POD)"),
        ],
    )
    claim = client.V1PersistentVolumeClaimVolumeSource(claim_name="registry-pvc")
    items = [
        client.V1KeyToPath(key="config", path="config.yml"),
        client.V1KeyToPath(key="cert", path="root.crt"),
    ]
    volumes = [
        client.V1Volume(name="storage", persistent_volume_claim=claim),
        client.V1Volume(name="config", config_map=client.V1ConfigMapVolumeSource(name="cm", items=items)),
    ]
    spec = client.V1PodSpec(containers=[container], volumes=volumes)
    running = client.V1ContainerState(
        running=client.V1ContainerStateRunning(started_at=datetime(2026, 1, 1, tzinfo=UTC))
    )
    status = SimpleNamespace(container_statuses=[SimpleNamespace(name="registry-app", state=running)])
    pod = SimpleNamespace(spec=spec, status=status)
    return replica("registry-0", pod=pod, container=container, running=True, state="Ready")


def registries(*replicas, config=FILES, has=None, environment=None, written=BEFORE, uploads_in="/storage"):
    """Its ConfigMap says `config`, and its container has `has` (None: the same), where it reads.

    `written`: when the kubelet wrote the ConfigMap's files; `uploads_in`: where its process really keeps uploads; None:
    it takes none.
    """
    place = "/v2/p/root/blobs/uploads/u1?_state=x"

    def run(replica, argv, *, container=None):
        if argv[0] == "sh" and argv[2].startswith("test -e"):
            return "there" if argv[3].startswith(f"{uploads_in}/docker/") else "absent"
        if argv[-1].endswith("cmdline"):
            return "sh\0"
        return answer(argv, {"/etc/registry/config.yml": has or config}, environment or {}, written=written)

    def begin_upload(repository):
        if uploads_in is None:
            raise SILENT
        return SimpleNamespace(place=place)

    return SimpleNamespace(
        replicas=lambda role: list(replicas),
        deployment=SimpleNamespace(
            config_map=lambda name: {"config": config, "cert": "x"},
            secret=lambda name: None,
            environment=lambda replica: environment or {},
        ),
        registry=lambda replica: SimpleNamespace(begin_upload=begin_upload, cancel=lambda upload: None),
        run=run,
    )


REQUEST = SimpleNamespace(getfixturevalue=lambda name: "p")


def keeps_images_on_a_volume(target):
    examine(on_a_volume, target, request=REQUEST)


def test_a_root_inside_the_claim_is_well_also_in_a_folder_of_its_own():
    keeps_images_on_a_volume(registries(registry()))


def test_the_file_of_the_image_is_read_where_it_is_the_one_that_counts():
    keeps_images_on_a_volume(registries(registry(config_at="/elsewhere"), config=SAMPLE, has=FILES))


def test_an_object_store_needs_no_volume():
    keeps_images_on_a_volume(registries(registry(storage_at="/x"), config=CONFIG.format("s3: {bucket: b}")))


def test_a_replica_that_was_started_while_its_config_map_said_something_else_is_named():
    inside = CONFIG.format("filesystem: {rootdirectory: /tmp/x}")
    (offender,) = offenders_of(keeps_images_on_a_volume, registries(registry(), has=inside))
    assert "in its container, which differs from ConfigMap cm, names /tmp/x" in offender.observed


def test_where_the_file_was_written_after_the_start_an_upload_shows_what_was_read():
    keeps_images_on_a_volume(registries(registry(), written=LATER))
    (offender,) = offenders_of(
        keeps_images_on_a_volume, registries(registry(), written=LATER, uploads_in="/tmp/x")
    )
    assert offender.observed.startswith("an upload that it took is not in /storage, which its file names; ")


def test_where_nothing_shows_what_was_read_it_is_unknown():
    with pytest.raises(CannotTell, match="it takes no upload"):
        keeps_images_on_a_volume(registries(registry(), written=LATER, uploads_in=None))
    bucket = registries(registry(), config=CONFIG.format("s3: {bucket: b}"), written=LATER)
    with pytest.raises(CannotTell, match="nobody knows which configuration"):
        keeps_images_on_a_volume(bucket)


def test_without_a_shell_what_is_declared_is_judged_and_told():
    def run(replica, argv, *, container=None):
        raise ProgramMissing("container registry cannot run `cat`")

    told, target = [], registries(registry())
    target.run = run
    examine(on_a_volume, target, request=REQUEST, tell=told.append)
    assert "NOT seen" in told[0]


@pytest.mark.parametrize(
    "target, told",
    [
        (
            registries(registry(config_at="/elsewhere"), has=SAMPLE),
            "the image's own, names /var/lib",
        ),
        (registries(registry(storage_at="/data")), "of ConfigMap cm names /storage, where no"),
        (registries(registry(), config=CONFIG.format("inmemory: {}")), "names driver inmemory"),
        (registries(registry(), config=CONFIG.format("delete: {}")), "names no storage driver"),
        (
            registries(
                registry(), environment={"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": "/var/lib/registry"}
            ),
            "names /var/lib/registry",
        ),
        (registries(registry(args=())), "nothing says which file"),
    ],
)
def test_a_root_outside_of_every_claim_is_named_with_the_claim_there_is(target, told):
    (offender,) = offenders_of(keeps_images_on_a_volume, target)
    assert offender.object == "pod registry-0"
    assert offender.expected == "images inside a volume of registry-pvc"
    assert told in offender.observed


def test_a_registry_that_does_not_run_is_named_and_not_asked():
    stopped = registry()
    stopped.running, stopped.state = False, "Running (CrashLoopBackOff)"
    (offender,) = offenders_of(keeps_images_on_a_volume, registries(stopped))
    assert "CrashLoopBackOff" in offender.observed


# configuration.token-key-same-on-every-replica, configuration.registry-trusts-token-key


class FakeRegistry:
    """Accepts tokens that are signed with `keys`; None: every token."""

    def __init__(self, *keys, silent=False):
        self.keys, self.silent = keys, silent

    def accepts(self, token):
        if self.silent:
            raise SILENT
        signature = base64.urlsafe_b64decode(token.rpartition(".")[2] + "==")
        trusted = None in self.keys or signature in self.keys
        return SimpleNamespace(
            status_code=200 if trusted else 401,
            reason="OK" if trusted else "Unauthorized",
            text="",
            headers={},
            request=SimpleNamespace(method="GET", path_url="/v2/"),
            history=(),
        )


def keys(monkeypatch, webs, *registries, trusts=("KEY:1",)):
    """`webs`: the key of each web replica, or what it raises."""
    replicas = {
        Role.WEB: [replica(f"ui-{n}") for n in range(len(webs))],
        Role.REGISTRY: [registry() for _ in registries],
    }
    for n, each in enumerate(replicas[Role.REGISTRY]):
        each.name, each.object = f"registry-{n}", f"pod registry-{n}"

    def fetch(http, credentials, *scopes):
        assert not scopes
        key = webs[http]
        if isinstance(key, Exception):
            raise key
        signature = base64.urlsafe_b64encode(key).rstrip(b"=").decode()
        return SimpleNamespace(text=f"header.claims.{signature}", key_id=f"KID:{key.decode()}" if key else "")

    monkeypatch.setattr(token_key.token_service, "fetch", fetch)
    monkeypatch.setattr(token_key.token_keys, "key_ids", lambda bundle: list(trusts) if bundle == "x" else [])
    return SimpleNamespace(
        replicas=lambda role: replicas[role],
        registry_api_replicas=lambda: replicas[Role.REGISTRY],
        web=lambda replica: SimpleNamespace(http=replicas[Role.WEB].index(replica)),
        registry=lambda replica: registries[replicas[Role.REGISTRY].index(replica)],
        credentials=Credentials("admin", "x"),
        user=Credentials("admin", "x"),
        client=Credentials("admin", "x"),
        deployment=SimpleNamespace(
            config_map=lambda name: {"config": FILES, "cert": "x"}, secret=lambda name: None
        ),
    )


same_key = token_key.test_every_web_replica_signs_with_the_same_key


def test_replicas_that_sign_with_one_key_are_well(monkeypatch):
    examine(same_key, keys(monkeypatch, [b"one", b"one", b"one"]))


def test_the_one_replica_that_signs_with_another_key_or_not_at_all_is_named(monkeypatch):
    (offender,) = offenders_of(same_key, keys(monkeypatch, [b"two", b"one", b"one"]))
    assert (offender.object, offender.observed) == ("pod ui-0", "signs with key KID:two")
    assert "KID:one" in offender.expected
    (offender,) = offenders_of(same_key, keys(monkeypatch, [b"one", SILENT]))
    assert (offender.object, offender.observed) == ("pod ui-1", "no answer")


def test_tokens_that_name_no_key_agree_on_nothing(monkeypatch):
    offenders = offenders_of(same_key, keys(monkeypatch, [b"", b""]))
    assert [(each.object, each.observed) for each in offenders] == [
        ("pod ui-0", "its token names no key"),
        ("pod ui-1", "its token names no key"),
    ]
    (offender,) = offenders_of(same_key, keys(monkeypatch, [b"one", b"", b""]))[:1]
    assert (offender.object, offender.expected) == (
        "pod ui-1",
        "signs with key KID:one, like most replicas",
    )


trusted = token_key.test_every_registry_trusts_the_tokens_of_every_web_replica_and_no_others


def test_tokens_of_one_key_that_every_registry_trusts_are_well(monkeypatch):
    examine(trusted, keys(monkeypatch, [b"one", b"one"], FakeRegistry(b"one"), FakeRegistry(b"one")))


def test_the_one_web_replica_with_another_key_is_named_by_every_registry(monkeypatch):
    offenders = offenders_of(
        trusted, keys(monkeypatch, [b"one", b"two", b"one"], FakeRegistry(b"one"), FakeRegistry(b"one"))
    )
    assert [o.object for o in offenders] == ["pod registry-0", "pod registry-1"]
    assert offenders[0].expected == "accepts the token of ui-1, signed with key KID:two"
    assert (
        offenders[0].observed == "GET /v2/ → 401 Unauthorized; it trusts key KEY:1 of /etc/registry/root.crt"
    )


def test_the_one_registry_with_another_certificate_is_named_for_every_web_replica(monkeypatch):
    target = keys(monkeypatch, [b"one", b"one"], FakeRegistry(b"one"), FakeRegistry(b"two"), trusts=())
    offenders = offenders_of(trusted, target)
    assert [o.object for o in offenders] == ["pod registry-1"] * 2
    assert "it trusts" not in offenders[0].observed


def test_a_registry_that_takes_every_token_trusts_nobody_in_particular(monkeypatch):
    (offender,) = offenders_of(trusted, keys(monkeypatch, [b"one"], FakeRegistry(None), FakeRegistry(b"one")))
    assert offender.object == "pod registry-0"
    assert "signature is broken" in offender.expected
    assert "200" in offender.observed


def test_a_web_replica_without_a_token_and_a_silent_registry_are_named(monkeypatch):
    refused = UnexpectedAnswer("GET /service/token → 500", status=500)
    target = keys(monkeypatch, [b"one", refused], FakeRegistry(b"one"), FakeRegistry(silent=True))
    offenders = offenders_of(trusted, target)
    assert [(o.object, o.observed) for o in offenders] == [
        ("pod ui-1", "GET /service/token → 500"),
        ("pod registry-1", "no answer"),
    ]
    (offender,) = offenders_of(trusted, keys(monkeypatch, [refused], FakeRegistry(b"one")))
    assert offender.object == "pod ui-0"


# configuration.session-store-configured

REDIS = "redis:6379,100,hush,11"


def of_environments(*environments, answers=()):
    container = SimpleNamespace(name="c")
    replicas = [replica(f"part-{n}", container=container) for n in range(len(environments))]

    def configurations(http, secret):
        assert secret == "s"
        if isinstance(http, Exception):
            raise http
        return http

    store = replace(
        harbor_1_2.PROFILE.configuration_store,
        configurations=lambda http, environment: configurations(
            http, harbor_1_2.configuration_secret(environment)
        ),
    )
    profile = replace(harbor_1_2.PROFILE, configuration_store=store)
    return SimpleNamespace(
        replicas=lambda role: replicas,
        workload=lambda role: SimpleNamespace(object="ReplicationController harbor/part-rc"),
        profile=profile,
        deployment=SimpleNamespace(environment=lambda replica: environments[replicas.index(replica)]),
        run=lambda replica, argv, *, container: answer(argv, {}, environments[replicas.index(replica)]),
        configurations=lambda replica: profile.configuration_store.configurations(
            answers[replicas.index(replica)], environments[replicas.index(replica)]
        ),
    )


def test_one_session_store_for_all_is_well():
    examine(session_store, of_environments(*[{"_REDIS_URL": REDIS}] * 3))


def test_every_replica_without_a_session_store_is_named():
    offenders = offenders_of(session_store, of_environments({}, {"_REDIS_URL": ""}, {}))
    assert [o.object for o in offenders] == ["pod part-0", "pod part-1", "pod part-2"]
    assert "in the memory of this replica" in offenders[0].observed


@pytest.mark.parametrize(
    "other, told",
    [
        ("redis-2:6379,100,hush,11", "host is redis-2, not redis"),
        ("redis:6379,100,hush,3", "database is 3, not 11"),
        ("redis:6379,100,other,11", "the password is another"),
        ("redis://redis:6379/11", "not of the form"),
    ],
)
def test_the_one_replica_with_another_session_store_is_named_without_its_password(other, told):
    environments = [{"_REDIS_URL": other}, {"_REDIS_URL": REDIS}, {"_REDIS_URL": REDIS}]
    (offender,) = offenders_of(session_store, of_environments(*environments))
    assert offender.object == "pod part-0"
    assert told in offender.observed
    assert "hush" not in str(offender)
    assert "other," not in str(offender)


# configuration.database-settings-agree, configuration.configuration-store-replicas-agree

ENVIRONMENT = {
    "MYSQL_HOST": "mysql",
    "MYSQL_PORT": "3306",
    "MYSQL_USR": "harbork8s",
    "MYSQL_PWD": "hush",
    "MYSQL_DATABASE": "registry_k8s",
    "UI_SECRET": "s",
}
ANSWER = {
    "mysql_host": "mysql",
    "mysql_port": 3306,
    "mysql_username": "harbork8s",
    "mysql_password": "hush",
    "mysql_database": "registry_k8s",
    "email_port": 25,
}


def stores(*answers, environment=ENVIRONMENT):
    return of_environments(*[environment] * len(answers), answers=answers)


def test_stores_that_answer_what_their_environment_says_are_well():
    examine(database_agrees, stores(ANSWER, ANSWER))
    examine(agree, stores(ANSWER, dict(ANSWER)), never)


@pytest.mark.parametrize(
    "answer, told",
    [
        (ANSWER | {"mysql_host": "old"}, "host is old, not mysql"),
        (ANSWER | {"mysql_port": 3307}, "port is 3307, not 3306"),
        (ANSWER | {"mysql_username": "root"}, "user is root, not harbork8s"),
        (ANSWER | {"mysql_database": "registry"}, "name is registry, not registry_k8s"),
        (ANSWER | {"mysql_password": "before"}, "the password is another"),
        ({}, "without mysql_host, mysql_port"),
        (UnexpectedAnswer("GET /api/configurations → 401", status=401), "401"),
        (SILENT, "no answer"),
    ],
)
def test_the_one_store_that_answers_another_database_is_named_without_passwords(answer, told):
    (offender,) = offenders_of(database_agrees, stores(ANSWER, answer))
    assert offender.object == "pod part-1"
    assert told in offender.observed
    assert "hush" not in str(offender)
    assert "before" not in str(offender)


@pytest.mark.parametrize("missing", ["MYSQL_HOST", "UI_SECRET"])
def test_an_environment_that_names_no_database_or_secret_is_named(missing):
    environment = {name: value for name, value in ENVIRONMENT.items() if name != missing}
    (offender,) = offenders_of(database_agrees, stores(ANSWER, environment=environment))
    assert offender.observed == f"without {missing}"


def test_the_one_store_that_differs_is_named_with_its_keys_and_no_secret():
    other = ANSWER | {"email_port": 465, "mysql_password": "other"}
    (offender,) = offenders_of(agree, stores(other, ANSWER, ANSWER), never)
    assert offender.object == "pod part-0"
    assert offender.observed == "email_port is 465, not 25; mysql_password is another"


def test_a_store_that_does_not_answer_is_named_and_the_others_compared():
    offenders = offenders_of(agree, stores(SILENT, ANSWER, ANSWER | {"email_port": 1}), never)
    assert [o.object for o in offenders] == ["pod part-0", "pod part-2"]


def test_one_store_has_no_other_to_agree_with():
    with pytest.raises(NotApplicable, match="one replica"):
        examine(agree, stores(ANSWER), not_applicable)
