"""Reaching a Harbor: one message when it cannot be reached, and what was found when it can."""

import time
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType, SimpleNamespace

import pytest

from harbor_verify import providers, store_links
from harbor_verify import target as module
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.registry import BackendRegistry
from harbor_verify.clients.token_service import Token
from harbor_verify.description import describe
from harbor_verify.errors import NoAnswer, SettingsError, TargetUnreachable, WrongConfiguration
from harbor_verify.model.discovery import Backend
from harbor_verify.model.roles import Role
from harbor_verify.model.volumes import Volume
from harbor_verify.profiles import harbor_1_2, harbor_2
from harbor_verify.providers import Access, existing, lab
from harbor_verify.replica_links import ReplicaLinks
from harbor_verify.settings import Settings
from harbor_verify.target import Target, reach
from harbor_verify.verdict import Failure


class FakeDeployment:
    profile = SimpleNamespace(
        name="harbor-1.2",
        parts={Role.WEB: None, Role.JOB: None, Role.FRONT_DOOR: None},
        api=harbor_1_2.PROFILE.api,
        registry_api=Role.REGISTRY,
        database_role=Role.CONFIGURATION_STORE,
        database=harbor_1_2.database,
        session_store=harbor_1_2.session_store,
        authorities="",
    )
    hidden = ()
    variables = MappingProxyType({"_REDIS_URL": "redis:6379,100,s3cret-word,11"})

    def __init__(self, replicas=()):
        made = SimpleNamespace(
            kind="ReplicationController", name="ui-rc", desired=3, object="RC harbor/ui-rc", port=80
        )
        self.workloads, self._replicas = {Role.WEB: made}, list(replicas)

    def workload(self, role):
        return self.workloads[role]

    def replicas(self, role):
        return self._replicas

    def all_replicas(self):
        return {Role.WEB: self._replicas}

    def environment(self, replica):
        return self.variables

    def volumes(self):
        return [Volume("harbor", "log-pvc", None, None, ("ui-rc",))]


def access(*, may=True, inside=False, url="http://h.example:31777"):
    kubernetes = SimpleNamespace(
        inside=inside, server="https://k", may=lambda verb, resource, namespace: may, close=lambda: None
    )
    return Access("existing", kubernetes, "harbor", url, Credentials("admin", "x"), None, False)


@pytest.fixture
def front_door(monkeypatch):
    """Sets what the front door does when it is asked for anything."""
    monkeypatch.setattr(module, "discover", lambda kubernetes, namespace, wanted, release: FakeDeployment())

    def set_answer(answer):
        monkeypatch.setattr(module.HttpClient, "request", lambda *_, **__: answer())

    set_answer(lambda: None)
    return set_answer


def test_a_harbor_whose_front_door_answers_is_reached(front_door):
    assert reach(access(), Settings()).registry_host == "h.example:31777"


def test_a_silent_front_door_is_told_with_what_to_look_at(front_door):
    def silent():
        raise NoAnswer("GET / at front-door: no answer", sent=False)

    front_door(silent)
    with pytest.raises(
        TargetUnreachable, match=r"http://h.example:31777.*no answer.*--harbor-url.*--ca-file"
    ):
        reach(access(), Settings())


def test_without_port_forward_it_is_said_once(front_door):
    with pytest.raises(TargetUnreachable, match="may not get or create pods/portforward in namespace harbor"):
        reach(access(may=False), Settings())
    reach(access(may=False, inside=True), Settings())


def test_a_role_without_a_pod_is_harbors_failure_not_an_empty_success():
    with pytest.raises(Failure) as failure:
        Target(access(), FakeDeployment(), Settings()).replicas(Role.WEB)
    assert failure.value.offenders[0].object == "RC harbor/ui-rc"


def test_what_was_found_is_described():
    replica = SimpleNamespace(ready=True, node="node-1")
    facts = SimpleNamespace(lines=lambda: ["exposure: own proxy (Deployment harbor/door)"])
    lines = "\n".join(describe(Target(access(), FakeDeployment([replica]), Settings()), facts))
    assert "http://h.example:31777, namespace harbor through https://k" in lines
    assert "web: ReplicationController ui-rc, 1 of 3 Ready on node-1" in lines
    assert "job: none found" in lines
    assert "front door: no proxy of Harbor's own" in lines
    assert "log-pvc, absent, used by ui-rc" in lines
    assert "  exposure: own proxy (Deployment harbor/door)" in lines
    assert "s3cret" not in lines


def test_a_replica_always_gets_the_same_link(monkeypatch):
    target = Target(access(), FakeDeployment(), Settings())
    replica = replica_of(Role.WEB)
    new, made = ReplicaLinks.new, []

    def slowly(links, replica):
        time.sleep(0.02)
        made.append(new(links, replica))
        return made[-1]

    monkeypatch.setattr(ReplicaLinks, "new", slowly)
    with ThreadPoolExecutor(4) as pool:
        given = list(pool.map(target.web, [replica] * 4))
    assert len(made) == 1
    assert all(each.http is made[0] for each in given)
    target.close()


def replica_of(role):
    workload = SimpleNamespace(port=80, tls=False, role=role)
    return SimpleNamespace(uid="u", workload=workload, name="one-0", pod_name="p", address=None)


def test_replicas_behind_the_front_door_are_asked_by_its_host_and_no_others():
    target = Target(access(), FakeDeployment(), Settings())
    asked_as = {role: target.new_link(replica_of(role)).headers.get("Host") for role in Role}
    assert target.new_link(replica_of(Role.WEB)).origin == "http://h.example:31777"
    assert asked_as == dict.fromkeys(Role, "h.example:31777") | {
        Role.CONFIGURATION_STORE: None,
        Role.JOB: None,
    }


def of(role, name="x-0", ready=True):
    workload = SimpleNamespace(role=role, port=80, tls=False)
    return SimpleNamespace(workload=workload, name=name, ready=ready, uid=name, pod_name=name, address=None)


class Newer(FakeDeployment):
    """A Harbor whose web replicas serve docker clients, and open the registry with a password of their own."""

    profile = SimpleNamespace(
        api=harbor_2.PROFILE.api,
        registry_api=Role.WEB,
        registry_login=harbor_2.PROFILE.registry_login,
        session_store=harbor_2.PROFILE.session_store,
    )
    variables = MappingProxyType(
        {
            "REGISTRY_CREDENTIAL_USERNAME": "inner",
            "REGISTRY_CREDENTIAL_PASSWORD": "hush",
            "_REDIS_URL_CORE": "redis+sentinel://:hush@sentinel-0:26379,sentinel-1/harbor/2",
        }
    )

    def replicas(self, role):
        return [replica for replica in self._replicas if replica.workload.role is role]


def test_where_web_replicas_serve_docker_clients_the_registry_is_opened_as_harbor_itself_does():
    web, behind = of(Role.WEB, "core-0"), of(Role.REGISTRY, "registry-0")
    target = Target(access(), Newer([web, behind]), Settings())
    target.belongings = SimpleNamespace(user=Credentials("verify-1", "y"))
    assert target.registry_api_replicas() == [web]
    registry = target.registry(behind)
    assert isinstance(registry, BackendRegistry)
    assert registry._authorise("s") == "Basic aW5uZXI6aHVzaA=="
    assert not isinstance(target.registry(web), BackendRegistry)
    target.close()
    older = Target(access(), FakeDeployment([behind]), Settings())
    older.belongings = target.belongings
    assert older.registry_api_replicas() == [behind]
    assert not isinstance(older.registry(behind), BackendRegistry)
    older.close()


def test_without_a_login_for_the_registry_that_is_told():
    deployment = Newer([of(Role.WEB), of(Role.REGISTRY, "registry-0")])
    deployment.variables = {}
    with pytest.raises(WrongConfiguration, match="REGISTRY_CREDENTIAL"):
        Target(access(), deployment, Settings()).registry(of(Role.REGISTRY))


def test_what_went_to_the_registry_behind_harbors_back_is_handed_over_once(monkeypatch):
    """Read from a replica that is Ready: the one that took it may be gone."""
    handed = []
    monkeypatch.setattr(
        BackendRegistry,
        "hand_over",
        lambda self, source, front: handed.append((self.name, source.name, front.name)),
    )
    dead, well = of(Role.REGISTRY, "registry-0", ready=False), of(Role.REGISTRY, "registry-1")
    target = Target(access(), Newer([of(Role.WEB), dead, well]), Settings())
    target.registry(dead)
    target.adopt()
    target.adopt()
    assert handed == [("registry-0", "registry-1", "front-door")]
    target.close()


def test_a_registry_of_which_nothing_is_left_takes_nothing_over_and_is_no_failure():
    deployment = Newer([of(Role.WEB), of(Role.REGISTRY)])
    target = Target(access(), deployment, Settings())
    target.registry(of(Role.REGISTRY))
    deployment._replicas.clear()
    target.adopt()
    target.close()


def test_sentinels_are_asked_at_the_addresses_that_lead_there_from_here(monkeypatch):
    asked = []
    monkeypatch.setattr(
        store_links, "RedisStore", lambda store, address, **more: asked.append((address, more))
    )
    deployment = Newer([of(Role.WEB)])
    deployment.backends = lambda host, port: [Backend(f"198.51.100.{host[-1]}", port)]
    target = Target(access(), deployment, Settings())
    target.redis(target.session_store())
    address, more = asked.pop()
    assert address == "198.51.100.0:26379"
    assert more["sentinels"] == ("198.51.100.0:26379", "198.51.100.1:26379")
    direct = Target(access(), deployment, Settings(session_store_address="198.51.100.9:6379"))
    direct.redis(direct.session_store())
    address, more = asked.pop()
    assert (address, more["sentinels"]) == ("198.51.100.9:6379", ())


def test_who_is_anonymous_at_a_registry_has_tokens_for_nobody_of_a_web_replica_that_it_trusts(monkeypatch):
    asked = []

    def fetch(http, credentials, scope):
        asked.append((http, credentials, scope))
        return Token(f"of-{http}", {}, {})

    target = Target(access(), FakeDeployment(["ui-0", "ui-1"]), Settings())
    monkeypatch.setattr(module.token_service, "fetch", fetch)
    monkeypatch.setattr(target, "web", lambda replica: SimpleNamespace(http=replica))
    trusts = SimpleNamespace(
        get=lambda *_, headers: SimpleNamespace(
            status_code=200 if headers["Authorization"] == "Bearer of-ui-1" else 401
        )
    )
    monkeypatch.setattr(ReplicaLinks, "kept", lambda links, replica: trusts)
    registry = target.anonymous_registry(None)
    assert [registry._authorise("s"), registry._authorise("s")] == ["Bearer of-ui-1"] * 2
    assert asked == [("ui-0", None, "s"), ("ui-1", None, "s")]


def test_what_an_existing_harbor_lacks_is_told_at_once():
    with pytest.raises(SettingsError, match=r"(?s)HARBOR_VERIFY_ADMIN_PASSWORD.*--credentials-secret.*--lab"):
        existing.provide(Settings())


def test_without_a_url_it_is_the_one_that_harbor_itself_names(front_door, monkeypatch):
    monkeypatch.setattr(FakeDeployment, "variables", {"EXT_ENDPOINT": "https://own.example:8443/"})
    monkeypatch.setattr(FakeDeployment, "replicas", lambda self, role: [replica_of(role)])
    assert reach(access(url=None), Settings()).access.url == "https://own.example:8443"
    assert reach(access(url="http://h.example"), Settings()).access.url == "http://h.example"


@pytest.mark.parametrize("variables", [{}, {"EXT_ENDPOINT": ""}, {"EXT_ENDPOINT": "own.example"}])
def test_where_harbor_names_no_url_it_is_asked_for(front_door, monkeypatch, variables):
    monkeypatch.setattr(FakeDeployment, "variables", variables)
    monkeypatch.setattr(FakeDeployment, "replicas", lambda self, role: [replica_of(role)])
    with pytest.raises(SettingsError, match=r"EXT_ENDPOINT.*--harbor-url or HARBOR_VERIFY_HARBOR_URL"):
        reach(access(url=None), Settings())
    monkeypatch.setattr(FakeDeployment, "replicas", lambda self, role: [])
    with pytest.raises(SettingsError, match="--harbor-url"):
        reach(access(url=None), Settings())


def test_an_existing_harbor_is_taken_as_the_settings_say(tmp_path):
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        "{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: k, user: u}}],"
        "clusters: [{name: k, cluster: {server: 'https://k.example:6443'}}], users: [{name: u, user: {token: t}}]}"
    )
    settings = Settings(harbor_url="http://h.example/", admin_password="x", kubeconfig=kubeconfig)
    found = existing.provide(settings)
    assert (found.url, found.kubernetes.server) == ("http://h.example", "https://k.example:6443")
    assert not found.may_disrupt
    with pytest.raises(SettingsError, match="absent"):
        existing.provide(settings.model_copy(update={"kubeconfig": tmp_path / "absent"}))


@pytest.mark.parametrize(
    "content", ["root:x:0:0::/root:/bin/sh", "[1, 2]", "{clusters: 1}", "", "a: [", "\0"]
)
def test_a_file_of_another_kind_is_told_to_be_no_kubeconfig(tmp_path, content):
    file = tmp_path / "kubeconfig"
    file.write_text(content)
    with pytest.raises(SettingsError, match=r"the kubeconfig \(.*kubeconfig\) cannot be used"):
        existing.provide(Settings(harbor_url="http://h.example/", admin_password="x", kubeconfig=file))


def test_the_lab_does_not_mix_with_settings_of_another_target():
    with pytest.raises(SettingsError, match="--harbor-url"):
        lab.provide(Settings(lab=True, harbor_url="http://h.example"))


def test_a_lab_as_it_is_has_to_be_asked_for_and_to_be_up(monkeypatch, tmp_path):
    from lab import cluster

    with pytest.raises(SettingsError, match="--lab is missing"):
        providers.provide(Settings(lab_as_it_is=True))
    monkeypatch.setattr("lab.settings.KUBECONFIG", tmp_path / "absent")
    monkeypatch.setattr(cluster, "up", lambda profile: pytest.fail("it is not to be changed"))
    with pytest.raises(TargetUnreachable, match="not there as it is: no lab is up on this machine"):
        providers.provide(Settings(lab=True, lab_as_it_is=True))


def test_a_lab_that_cannot_be_stood_up_is_a_target_that_cannot_be_reached(monkeypatch):
    from lab import cluster
    from lab.errors import UnfitMachine

    def up(profile):
        raise UnfitMachine(f"this machine has too little memory for {profile}")

    monkeypatch.setattr(cluster, "up", up)
    with pytest.raises(TargetUnreachable, match="too little memory for harbor-2"):
        lab.provide(Settings(lab=True, profile="harbor-2"))
