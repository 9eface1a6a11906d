"""What killed runs left is undone by what the ledger says and nothing else, whatever fails."""

from types import SimpleNamespace

import pytest
import yaml

from harbor_verify import cleanup, heal, lease
from harbor_verify.clients.docker import Docker
from harbor_verify.clients.harbor import Credentials, Project
from harbor_verify.disruptions import changes
from harbor_verify.errors import HarnessError, NoAnswer, TargetUnreachable
from harbor_verify.ledger import Ledger
from tests.unit.fake_objects import CORE, DEPLOYMENTS, LEASE, LEDGER, NODES, Objects, serving
from tests.unit.test_disruptions_changes import CORE as CORE_WORKLOAD
from tests.unit.test_ledger import Lease

RUN = "20261124t023015-ab12"


class Harbor:
    """A front door that keeps projects, users, robots and values by name."""

    def __init__(self):
        self.kept = {
            "projects": {f"verify-{RUN}": 1, f"verify-{RUN}-x": 2, "verify-aaaa00000001-v": 3, "library": 4},
            "users": {"verify-0a0b0c0d": 5, "verify-0a0b0c0e": 6},
            "robots": {"robot$mine": 7, "robot$other": 8},
        }
        self.marked = {"bbbb00000000": 9, "bbbb00000001": 10, "cccc00000000": 11}
        self.silent = False

    def projects(self, name, credentials):
        if self.silent:
            raise NoAnswer("GET /projects: refused", sent=False)
        return {each: Project(each, number) for each, number in self.kept["projects"].items() if name in each}

    def users(self, name, credentials):
        return {each: number for each, number in self.kept["users"].items() if name in each}

    def values(self, project, mark, credentials):
        return {name: number for name, number in self.marked.items() if name.startswith(mark)}

    def repositories(self, project, credentials):
        return []

    def remove_value(self, number, credentials):
        self.marked = {name: kept for name, kept in self.marked.items() if kept != number}

    def _delete(self, kind, number):
        self.kept[kind] = {name: kept for name, kept in self.kept[kind].items() if kept != number}

    def delete_project(self, project, credentials):
        self._delete("projects", project.id)

    def delete_user(self, number, credentials):
        self._delete("users", number)

    def delete_robot(self, number, credentials):
        self._delete("robots", number)


@pytest.fixture
def objects():
    objects = Objects()
    objects.deployment("core", 3)
    objects.node("node-1")
    objects.node("node-2", unschedulable=True)
    for kind, name, run in (
        ("pods", f"harbor-verify-{RUN}-0", RUN),
        ("pods", f"harbor-verify-{RUN}-01", "another"),
        ("pods", "harbor-verify-taken", "another"),
        ("secrets", f"harbor-verify-{RUN}", RUN),
        ("secrets", f"harbor-verify-{RUN}-x", RUN),
    ):
        objects.put(f"{CORE}/{kind}/{name}", {"metadata": {"labels": {cleanup.RUN_LABEL: run}}})
    return objects


@pytest.fixture
def kubernetes(objects):
    with serving(objects) as kubernetes:
        yield kubernetes


@pytest.fixture
def harbor():
    return Harbor()


def target_of(harbor):
    return SimpleNamespace(
        front_door=harbor,
        credentials=Credentials("admin", "hush"),
        settings=SimpleNamespace(request_timeout_s=0.2),
        adopt=lambda: None,
        close=lambda: None,
        new_front_door_link=lambda: SimpleNamespace(close=lambda: None),
        profile=SimpleNamespace(api=lambda link: harbor),
    )


def killed_run(kubernetes):
    """Writes down and breaks what a run does, and dies."""
    ledger = Ledger(kubernetes, "harbor", RUN, Lease())
    ledger.made("project", f"verify-{RUN}")
    ledger.made("project", "verify-never-made")
    ledger.made("user", "verify-0a0b0c0d")
    ledger.made("robot", "mine", project=f"verify-{RUN}", id=7)
    ledger.made("robot", "unknown", project=f"verify-{RUN}")
    ledger.made("values", "bbbb0000", project=f"verify-{RUN}")
    ledger.made("Secret", f"harbor-verify-{RUN}")
    ledger.made("Pod", f"harbor-verify-{RUN}-0")
    ledger.made("Pod", "harbor-verify-taken")
    changes.scale(ledger, kubernetes, CORE_WORKLOAD, 1)
    changes.cordon(ledger, kubernetes, "node-1", [])
    ledger.broken("Pod", "core-a", uid="u")


def healed(kubernetes, harbor, reach=None, tell=lambda text: None):
    ledger = Ledger(kubernetes, "harbor", "later", Lease())
    reach = reach or (lambda: target_of(harbor))
    return heal.heal(ledger, kubernetes, "harbor", reach, docker_host=None, tell=tell)


def bare(objects):
    return {path: objects.bare(path) for path in objects.there if path != LEDGER}


def test_all_is_as_before_what_others_have_stays_and_a_second_time_there_is_nothing(
    objects, kubernetes, harbor
):
    before = bare(objects)
    for mine in (f"{CORE}/pods/harbor-verify-{RUN}-0", f"{CORE}/secrets/harbor-verify-{RUN}"):
        del before[mine]
    killed_run(kubernetes)
    told = []
    done = healed(kubernetes, harbor, tell=told.append)
    assert done.failed == []
    assert told[-1].startswith(f"{len(told)} of {len(told)}: ")
    assert bare(objects) == before
    assert LEDGER not in objects.there, "an empty ledger goes"
    assert set(harbor.kept["projects"]) == {f"verify-{RUN}-x", "verify-aaaa00000001-v", "library"}
    assert set(harbor.kept["users"]) == {"verify-0a0b0c0e"}
    assert set(harbor.kept["robots"]) == {"robot$other"}
    assert set(harbor.marked) == {"cccc00000000"}
    assert f"node node-1 takes pods again, which a run had cordoned (run {RUN})" in done.done
    again = healed(kubernetes, harbor, reach=None)
    assert (again.done, again.failed) == ([], [])
    assert bare(objects) == before


def living_run(kubernetes):
    """Breaks and mends, one after the other, and makes a Secret and removes it."""
    ledger = Ledger(kubernetes, "harbor", "r1", Lease())
    changes.scale(ledger, kubernetes, CORE_WORKLOAD, 1)
    changes.mend_own(ledger, kubernetes, "harbor", "Deployment", "core")
    changes.restart(ledger, kubernetes, CORE_WORKLOAD)
    changes.mend_own(ledger, kubernetes, "harbor", "Deployment", "core")
    changes.cordon(ledger, kubernetes, "node-1", ["core-a"])
    changes.mend_own(ledger, kubernetes, "harbor", "Node", "node-1")
    ledger.made("Secret", "harbor-verify-r1")
    made = {"metadata": {"name": "harbor-verify-r1", "labels": {cleanup.RUN_LABEL: "r1"}}}
    kubernetes.ask("make a Secret", kubernetes.core.create_namespaced_secret, "harbor", made)
    cleanup.remove_objects(ledger, kubernetes, "harbor")
    ledger.close()


@pytest.mark.parametrize("after_act", [False, True])
def test_at_whatever_request_a_run_dies_all_is_as_before(objects, kubernetes, harbor, after_act):
    before, deaths = bare(objects), 0
    while True:
        objects.asked, objects.dies_at, objects.dies_after_act = [], deaths, after_act
        try:
            living_run(kubernetes)
            break
        except HarnessError:
            deaths += 1
        finally:
            objects.dies_at = None
            assert healed(kubernetes, harbor).failed == []
            assert bare(objects) == before, f"death {deaths}"
            assert LEDGER not in objects.there
    assert deaths >= 20


def test_what_is_broken_is_mended_first_and_needs_no_harbor(objects, kubernetes, harbor):
    killed_run(kubernetes)

    def unreachable():
        asked.append(True)
        raise TargetUnreachable("nobody there")

    asked = []
    done = healed(kubernetes, harbor, reach=unreachable)
    assert objects.there[f"{DEPLOYMENTS}/core"]["spec"]["replicas"] == 3
    assert "unschedulable" not in objects.there[f"{NODES}/node-1"]["spec"]
    assert f"{CORE}/pods/harbor-verify-{RUN}-0" not in objects.there
    assert asked == [True], "a Harbor that is not there is looked for once"
    assert [line.split(":")[0] for line in done.failed] == [
        "values bbbb0000", "robot unknown", "robot mine", "user verify-0a0b0c0d",
        "project verify-never-made", f"project verify-{RUN}",
    ]  # fmt: skip
    assert healed(kubernetes, harbor).failed == [], "it stands in the ledger until it is done"
    assert f"verify-{RUN}" not in harbor.kept["projects"]


@pytest.mark.parametrize("bug", [NoAnswer("silence", sent=True), KeyError("bug"), AssertionError("bug")])
def test_whatever_fails_the_rest_is_undone(objects, kubernetes, harbor, bug):
    killed_run(kubernetes)

    def fail(number, credentials):
        raise bug

    harbor.delete_user = fail
    (line,) = healed(kubernetes, harbor).failed
    assert line.startswith("user verify-0a0b0c0d: ")
    assert f"verify-{RUN}" not in harbor.kept["projects"]
    assert [yaml.safe_load(line)["kind"] for line in objects.there[LEDGER]["data"].values()] == ["user"]


def test_a_kind_of_a_newer_version_and_an_edited_line_are_told_and_kept(objects, kubernetes, harbor):
    Ledger(kubernetes, "harbor", RUN, Lease()).made("webhook", "w")
    objects.there[LEDGER]["data"]["edited"] = "?"
    failed = healed(kubernetes, harbor).failed
    assert failed == [
        "webhook w: this version knows no such kind of thing", "line edited of the ledger cannot be read: remove it"
    ]  # fmt: skip
    assert len(objects.there[LEDGER]["data"]) == 2


def test_an_image_of_another_machine_is_told_with_the_command(kubernetes, harbor, monkeypatch):
    cleanup.local_image(Ledger(kubernetes, "harbor", RUN, Lease()), "h/p/busybox:1")
    monkeypatch.setattr(cleanup.platform, "node", lambda: "elsewhere")
    (line,) = healed(kubernetes, harbor).done
    assert "run docker rmi h/p/busybox:1" in line


def test_an_image_of_this_machine_is_removed(kubernetes, harbor, monkeypatch):
    removed = []
    names = {"h/p/busybox": ["h/p/busybox:1-0", "h/p/busybox@sha256:7"]}
    daemon = SimpleNamespace(remove=removed.append, names_in=names.get, close=lambda: None)
    monkeypatch.setattr(cleanup, "Docker", lambda host, timeout_s: daemon)
    cleanup.local_image(Ledger(kubernetes, "harbor", RUN, Lease()), "h/p/busybox:1")
    assert healed(kubernetes, harbor).failed == []
    assert removed == ["h/p/busybox:1", "h/p/busybox:1-0", "h/p/busybox@sha256:7"], "by all names"


def test_names_in_a_repository_are_tags_and_digests_and_of_no_other():
    image = SimpleNamespace(
        tags=["h/p/busybox:1", "h/p/busybox2:1"],
        attrs={"RepoDigests": ["h/p/busybox@sha256:7", "h/q@sha256:7"]},
    )
    untagged = SimpleNamespace(tags=[], attrs={"RepoDigests": None})
    daemon = Docker.__new__(Docker)
    daemon._client = SimpleNamespace(images=SimpleNamespace(list=lambda repository: [image, untagged]))
    assert daemon.names_in("h/p/busybox") == ["h/p/busybox:1", "h/p/busybox@sha256:7"]


@pytest.fixture
def command(kubernetes, harbor, monkeypatch, tmp_path, capsys):
    """`command("--namespace", "harbor")`: the exit code, and what was written."""
    monkeypatch.chdir(tmp_path)
    for name, value in (
        ("DURATION_S", 1),
        ("GIVE_UP_S", 0.6),
        ("RENEW_EVERY_S", 0.1),
        ("_LOOK_EVERY_S", 0.05),
    ):
        monkeypatch.setattr(lease, name, value)
    monkeypatch.setattr(heal, "connect", lambda *_, **__: kubernetes)
    monkeypatch.setattr(heal.providers, "provide", lambda settings: None)
    monkeypatch.setattr(heal, "reach", lambda access, settings: target_of(harbor))

    def run(*words):
        code = heal.main(words)
        written = capsys.readouterr()
        return code, written.out + written.err

    return run


def test_the_command_says_what_it_did_and_gives_the_lease_back(command, objects, kubernetes):
    killed_run(kubernetes)
    code, output = command("--namespace", "harbor")
    assert code == 0
    assert "Deployment harbor/core has its 3 replicas back" in output
    assert f"removed project verify-{RUN}" in output
    assert LEASE not in objects.there
    assert command("--namespace", "harbor") == (0, "nothing to undo in namespace harbor\n")


def test_the_command_says_what_it_could_not_do_and_exits_with_1(command, kubernetes, harbor):
    killed_run(kubernetes)
    harbor.silent = True
    code, output = command()
    assert code == 1
    assert f"NOT undone: project verify-{RUN}: GET /projects: refused" in output


@pytest.mark.parametrize("flags, expected", [((), 4), (("--take-over",), 0)])
def test_a_run_that_is_alive_is_respected_unless_the_user_says_so(
    command, objects, kubernetes, flags, expected
):
    living = lease.NamespaceLease(kubernetes, "harbor", "run that lives")
    living.acquire()
    killed_run(kubernetes)
    code, output = command(*flags)
    assert code == expected
    assert ("is alive: run that lives" in output) is (expected == 4)
    assert objects.there[f"{DEPLOYMENTS}/core"]["spec"]["replicas"] == (1 if expected else 3)
    living.release()


def test_a_lease_that_has_run_out_is_waited_for(command, objects, kubernetes):
    killed_run(kubernetes)
    objects.put(LEASE, {"spec": {"holderIdentity": "run that died", "leaseDurationSeconds": 1}})
    code, output = command()
    assert code == 0
    assert "run that died holds the Lease" in output


def test_its_help_says_all(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit):
        heal.main(["--help"])
    text = capsys.readouterr().out
    assert all(word in text for word in ("--take-over", "--namespace", "exit codes:", "harbor-verify-ledger"))
