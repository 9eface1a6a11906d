"""The checks of replicas that differ, on a Harbor whose containers say what the kubelet would have given them."""

import re
from contextlib import contextmanager

import pytest
import yaml

from harbor_verify.clients.pod_channel import CommandInPodFailed
from harbor_verify.errors import CannotTell, NeedMissing, ProgramMissing
from harbor_verify.model import configuration
from harbor_verify.model.environment import environment_of
from suites.configuration.test_drift import test_replicas_of_a_part_run_alike as alike
from suites.configuration.test_drift import test_replicas_run_with_what_is_declared_now as as_declared
from tests.unit.containers import BEFORE, LATER, answer
from tests.unit.running import examine, offenders_of
from tests.unit.whole_harbors import harbor_of

LABELS = {"app": "harbor", "release": "harbor"}


def part(component, image, **spec):
    labels = {**LABELS, "component": component}
    container = {"name": component, "image": f"goharbor/{image}:v2", **spec.pop("container", {})}
    pod = {"containers": [container], "volumes": spec.pop("volumes", [])}
    kind, template = spec.pop("kind", "Deployment"), {"metadata": {"labels": labels}, "spec": pod}
    selector = labels if kind == "ReplicationController" else {"matchLabels": labels}
    return {
        "kind": kind,
        "metadata": {"name": f"harbor-{component}", "labels": labels},
        "spec": {"replicas": 3, "template": template, "selector": selector},
        **spec,
    }


def objects(sub_path="config.yml", **core):
    """A core with an environment, and a registry with a file of a ConfigMap and one of a Secret."""
    core = {"container": {"envFrom": [{"configMapRef": {"name": "core"}}]}, **core}
    mounts = [{"name": "config", "mountPath": "/etc/registry/config.yml", "subPath": "config.yml"}]
    if not sub_path:
        mounts = [{"name": "config", "mountPath": "/etc/registry"}]
    mounts.append({"name": "login", "mountPath": "/etc/login", "subPath": "login"})
    volumes = [
        {"name": "config", "configMap": {"name": "registry"}},
        {"name": "login", "secret": {"secretName": "login"}},
    ]
    return [
        part("core", "harbor-core", **core),
        part("registry", "registry-photon", container={"volumeMounts": mounts}, volumes=volumes),
        {"kind": "ConfigMap", "metadata": {"name": "core"}, "data": {"LOG_LEVEL": "info", "URL": "a"}},
        {"kind": "ConfigMap", "metadata": {"name": "registry"}, "data": {"config.yml": "root: /storage"}},
        {"kind": "Secret", "metadata": {"name": "login"}, "stringData": {"login": "hidden-password"}},
    ]


class Containers:
    """What each pod's container sees: what is declared, but for what was put otherwise for one of them."""

    def __init__(self, harbor):
        self._of, self.written, self.environment, self.files, self.clock_s = harbor, {}, {}, {}, {}
        self.without_shell, self.broken = set(), set()

    def run(self, replica, argv, *, container=None):
        pod = replica.pod_name
        if {pod, container} & self.without_shell:
            raise ProgramMissing(f"container {container} cannot run `sh`")
        if pod in self.broken:
            raise CommandInPodFailed("`sh` did not end within 5 s")
        own = next(each for each in replica.pod.spec.containers if each.name == container)
        reads = (self._of.deployment.config_map, self._of.deployment.secret)
        texts = {file.path: file.text for file in configuration.given_files(replica.pod.spec, own, *reads)}
        texts |= self.files.get(pod, {})
        environment = environment_of(own, *reads) | {"HOSTNAME": pod, "X_PORT_80_TCP": pod, "PWD": "/"}
        environment |= self.environment.get(pod, {})
        return answer(
            argv,
            texts,
            environment,
            written=self.written.get(pod, BEFORE),
            ahead_s=self.clock_s.get(pod, 0),
        )


@contextmanager
def harbor(*more, **changes):
    given = [*objects(**changes), *more]
    with harbor_of(yaml.safe_dump_all(given)) as (target, _):
        containers = Containers(target)
        vars(target)["run"] = containers.run
        yield target, containers


def judged(check, target, need=lambda name: None, tell=lambda text: None):
    examine(check, target, need=need, tell=tell)


def red(check, target):
    return {o.object.split()[1]: o.observed for o in offenders_of(lambda: judged(check, target))}


def test_replicas_that_run_with_what_is_declared_are_well_whatever_is_another_on_each_pod():
    node = [
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "MADE_OF_IT", "value": "$(NODE)-x"},
    ]
    with harbor(container={"env": node}) as (target, containers):
        for number in range(3):
            containers.environment[f"harbor-core-{number}"] = {
                "NODE": str(number),
                "MADE_OF_IT": f"{number}-x",
            }
        judged(alike, target)
        judged(as_declared, target)


@pytest.mark.parametrize("name", ["POSTGRESQL_PORT", "METRIC_PORT", "CORE_SERVICE_HOST", "CORE_SERVICE_PORT"])
def test_what_is_declared_counts_although_a_link_to_a_service_is_called_so(name):
    declared = {"env": [{"name": name, "value": "5432"}]}
    with harbor(container=declared) as (target, containers):
        judged(alike, target)
        containers.environment["harbor-core-1"] = {name: "5433"}
        found = red(alike, target)
        assert f"variable {name} is another one" in found["harbor/harbor-core-1"]
        assert red(as_declared, target).keys() == found.keys()


def test_a_file_that_is_another_on_one_replica_is_told_by_its_digest():
    with harbor() as (target, containers):
        containers.files["harbor-registry-1"] = {"/etc/registry/config.yml": "root: /tmp/x"}
        found = red(alike, target)
        assert red(as_declared, target).keys() == found.keys()
    assert found.keys() == {"harbor/harbor-registry-1"}
    (told,) = found.values()
    assert re.fullmatch(
        r"container registry: /etc/registry/config.yml of ConfigMap registry is another one "
        r"\(sha256 \w{12}, not sha256 \w{12}\) than in its siblings and what is declared now",
        told,
    )


def test_of_a_secret_and_of_variables_no_value_and_no_digest_is_told():
    with harbor() as (target, containers):
        containers.files["harbor-registry-0"] = {"/etc/login": "another-password"}
        containers.environment["harbor-core-2"] = {"URL": "redis://:password@h", "LOG_LEVEL": None}
        found = red(alike, target)
    whole = "its siblings and what is declared now"
    assert found == {
        "harbor/harbor-registry-0": f"container registry: /etc/login of Secret login is another one than in {whole}",
        "harbor/harbor-core-2": f"container core: variable LOG_LEVEL is absent, unlike in {whole}; "
        f"container core: variable URL is another one than in {whole}",
    }


def test_those_that_were_not_started_since_an_edit_are_named_though_they_are_more():
    with harbor() as (target, containers):
        for number in (0, 1):
            containers.environment[f"harbor-core-{number}"] = {"URL": "former"}
        assert red(alike, target).keys() == {"harbor/harbor-core-0", "harbor/harbor-core-1"}


def test_all_that_run_with_what_was_declared_before_are_alike_and_behind():
    with harbor() as (target, containers):
        for number in range(3):
            containers.environment[f"harbor-core-{number}"] = {"URL": "former"}
        judged(alike, target)
        found = red(as_declared, target)
    assert len(found) == 3
    assert set(found.values()) == {"container core: variable URL is another one than in what is declared now"}


def test_a_variable_that_nobody_declares_is_compared_with_siblings():
    with harbor() as (target, containers):
        containers.environment["harbor-core-1"] = {"LEFT_OVER": "x"}
        assert red(alike, target) == {
            "harbor/harbor-core-1": "container core: variable LEFT_OVER is there, unlike in its siblings"
        }
        judged(as_declared, target)


def test_a_file_that_was_written_after_the_start_says_nothing_of_what_was_read():
    with harbor(sub_path="") as (target, containers):
        containers.written["harbor-registry-1"] = LATER
        containers.files["harbor-registry-1"] = {"/etc/registry/config.yml": "new"}
        judged(alike, target)
        found = red(as_declared, target)
    assert found == {
        "harbor/harbor-registry-1": "container registry: the files at /etc/registry were written at 2026-01-01 "
        "00:10:00, after it had started at 2026-01-01 00:00:00 (UTC)"
    }


def test_another_image_under_the_same_tag_and_other_arguments_are_told_without_looking_inside(monkeypatch):
    with harbor() as (target, _):
        of_pods = type(target.deployment).replicas

        def replicas(self, role):
            found = of_pods(self, role)
            for number, each in enumerate(found):
                each.pod.status.container_statuses[0].image_id = f"x@sha256:{'ab'[number == 1] * 64}"
            found[2].pod.spec.containers[0].args = ["other"]
            return found

        monkeypatch.setattr(type(target.deployment), "replicas", replicas)

        def need(name):
            raise NeedMissing("this account may not get pods/exec")

        found = offenders_of(lambda: judged(alike, target, need))
    assert {o.object.split()[1]: o.observed for o in found}["harbor/harbor-core-1"] == (
        f"container core: image digest is another one ({'b' * 12}, not {'a' * 12}) than in its siblings"
    )
    assert any("command and args is another one" in o.observed for o in found)


def test_without_exec_what_the_api_tells_is_no_pass():
    def need(name):
        raise NeedMissing("this account may not get pods/exec")

    for check in (alike, as_declared):
        with harbor() as (target, _), pytest.raises(NeedMissing):
            judged(check, target, need)


def test_containers_without_a_shell_block_and_what_does_not_answer_is_unknown():
    with harbor() as (target, containers):
        containers.without_shell = {"harbor-core-0"}
        for check in (alike, as_declared):
            with pytest.raises(NeedMissing, match="container core cannot run `sh`"):
                judged(check, target)
        containers.broken = {"harbor-core-1"}
        with pytest.raises(CannotTell, match="did not end within 5 s"):
            judged(alike, target)


def test_a_container_beside_harbors_own_without_a_shell_is_told():
    core, *others = objects()
    core["spec"]["template"]["spec"]["containers"].append({"name": "proxy", "image": "mesh/proxy:1"})
    told = []
    with harbor(core, *others) as (target, containers):
        containers.without_shell = {"proxy"}
        judged(alike, target, tell=told.append)
    beside = ", ".join(f"harbor-core-{n} (proxy)" for n in range(3))
    assert told == [f"environment and files NOT seen, for want of a shell in the container: {beside}"]


def test_a_file_that_cannot_be_read_is_unknown():
    with harbor() as (target, containers):
        containers.files["harbor-registry-0"] = {"/etc/login": None}
        with pytest.raises(CannotTell, match="could not read /etc/login"):
            judged(alike, target)


def test_a_clock_that_is_off_is_told():
    with harbor() as (target, containers):
        containers.clock_s["harbor-core-1"] = -90
        containers.clock_s["harbor-core-2"] = 3
        found = red(as_declared, target)
        judged(alike, target)
    assert found.keys() == {"harbor/harbor-core-1"}
    assert re.fullmatch(r"(89|90|91) s behind the others'", found["harbor/harbor-core-1"])


def test_pods_of_two_templates_are_compared_each_with_their_own_while_a_rollout_goes_on():
    status = {"replicas": 3, "updatedReplicas": 1}
    told = []
    with harbor(status=status) as (target, containers):
        of_pods = type(target.deployment).replicas
        deployment = target.deployment

        def replicas(role):
            found = of_pods(deployment, role)
            if found[0].workload.short_name == "harbor-core":
                found[2].pod.metadata.labels["pod-template-hash"] = "new"
            return found

        deployment.replicas = replicas
        containers.environment["harbor-core-2"] = {"URL": "new"}
        judged(alike, target)
        judged(as_declared, target, tell=told.append)
    assert (
        told
        == [
            "Deployment harbor/harbor-core: a rollout goes on, so its pods are not compared with its template"
        ]
        * 2
    )


def test_a_controller_that_replaces_no_pod_is_told_where_its_pods_are_of_another_template():
    with harbor(kind="ReplicationController") as (target, _):
        template = next(w.template for w in target.deployment.workloads.values() if w.name == "harbor-core")
        template.spec.containers[0].image = "goharbor/harbor-core:v3"
        found = red(as_declared, target)
        judged(alike, target)
    assert set(found.values()) == {
        "container core: image is another one (harbor-core:v2, not harbor-core:v3) than in what is declared now"
    }
