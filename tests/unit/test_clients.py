"""Clients that are programs: fake ones, which are sound or bring something else, and the check that compares them."""

import json
import stat
import sys
from types import SimpleNamespace

import pytest

from harbor_verify.clients.artifact import OCI
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.image import descriptors_of, digest_of
from harbor_verify.errors import CannotTell, ClientRefused, WrongContent
from harbor_verify.plugin import needs
from harbor_verify.programs import known
from harbor_verify.programs.workspace import Place, Workspace
from suites.images.test_clients import test_what_one_client_pushes_the_others_pull as check
from tests.unit.fake_registry import FakeRegistry, Store, doors
from tests.unit.running import examine, offenders_of

ADMIN = Credentials("admin", "s3cret-word")
FAKE_CRANE = """#!{python}
import hashlib, json, pathlib, shutil, sys
store, doctored = pathlib.Path({store!r}), {doctored!r}
words = [word for word in sys.argv[1:] if not word.startswith("-")]
if doctored == "is refused" and words[0] != "version":
    sys.exit("GET https://h/v2/: denied: requested access to the resource is denied")
if doctored == "trusts nobody" and words[0] != "version":
    sys.exit('Get "https://127.0.0.1/v2/": x509: certificate signed by unknown authority')
if words[0] == "version":
    print("0.22.1")
elif words[0] == "push":
    shutil.copytree(words[1], store / "layout", dirs_exist_ok=True)
    digest = json.loads((store / "layout/index.json").read_text())["manifests"][0]["digest"]
    print(words[2].rpartition(":")[0] + "@" + ("sha256:" + 64 * "0" if doctored == "says another" else digest))
else:
    folder = pathlib.Path(words[2])
    shutil.copytree(store / "layout", folder)
    digest = json.loads((folder / "index.json").read_text())["manifests"][0]["digest"]
    manifest = folder / "blobs/sha256" / digest[7:]
    if doctored == "other bytes":
        layer = json.loads(manifest.read_text())["layers"][0]["digest"]
        (folder / "blobs/sha256" / layer[7:]).write_bytes(b"other")
    if doctored == "lacks a layer":
        layer = json.loads(manifest.read_text())["layers"][0]["digest"]
        (folder / "blobs/sha256" / layer[7:]).unlink()
    if doctored == "another digest":
        content = json.dumps(json.loads(manifest.read_text())).encode()
        digest = hashlib.sha256(content).hexdigest()
        (folder / "blobs/sha256" / digest).write_bytes(content)
        (folder / "index.json").write_text(json.dumps({{"manifests": [{{"digest": "sha256:" + digest}}]}}))
"""


def script(file, text):
    file.write_text(text)
    file.chmod(0o755)
    return file


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "work").mkdir()
    return Workspace(tmp_path / "work", Place("127.0.0.1", ADMIN, plain_http=True), timeout_s=20)


@pytest.fixture
def crane(tmp_path, workspace, store):
    """`crane("other bytes")`: a client that is doctored so; what it pushes is in `store` as well."""

    class Crane(known.Crane):
        def push(self, repository, tag):
            digest = super().push(repository, tag)
            blobs = {
                digest_of(f.read_bytes()): f.read_bytes() for f in (self.source / "blobs/sha256").iterdir()
            }
            index = json.loads((self.source / "index.json").read_text())
            content = blobs[index["manifests"][0]["digest"]]
            store.manifests[repository, tag] = content, OCI.manifest
            for descriptor in descriptors_of(content):
                store.blobs[repository, descriptor["digest"]] = blobs[descriptor["digest"]]
            return digest

    def make(doctored=""):
        text = FAKE_CRANE.format(python=sys.executable, store=str(tmp_path), doctored=doctored)
        client = Crane(script(tmp_path / "crane", text), workspace, run_id="r")
        client.prepare()
        return client

    return make


def run(store, clients, folder, judge=examine, left_out=None, flaws=()):
    """What the check says of these clients; their matrix is in `folder`."""
    told = []
    with doors(FakeRegistry(store, *flaws)) as [front]:
        harbor = SimpleNamespace(
            front_registry_for_all=lambda link: front.registry, front_door=SimpleNamespace(http=None)
        )
        found = judge(
            check, harbor, (clients, left_out or {}), "p", "r", folder, {}, told.append, lambda text: text
        )
    return found, (folder / "matrix.txt").read_text()


def test_what_a_sound_client_pushes_it_can_pull(crane, store, tmp_path):
    _, matrix = run(store, [crane()], tmp_path, left_out={"helm": "not found"})
    assert "crane 0.22.1: image  same\n" in matrix
    assert "left out: helm: not found" in matrix


@pytest.mark.parametrize(
    "doctored, observed",
    [
        ("other bytes", "5 bytes of digest sha256:"),
        ("lacks a layer", "lacks a part"),
        ("another digest", "digest sha256:"),
    ],
)
def test_a_client_that_gets_something_else_is_red(crane, store, tmp_path, doctored, observed):
    [offender], matrix = run(store, [crane(doctored)], tmp_path, offenders_of)
    assert offender.object == "client crane"
    assert observed in offender.observed
    assert "WRONG" in matrix


def test_a_digest_that_is_not_the_one_pushed_is_red(crane, store, tmp_path):
    offenders, _ = run(store, [crane("says another")], tmp_path, offenders_of)
    assert {each.expected.partition(" ")[0] for each in offenders} == {"pushes", "pulls"}


def test_a_registry_that_gives_other_bytes_is_red(crane, store, tmp_path):
    [offender], _ = run(store, [crane()], tmp_path, offenders_of, flaws=["corrupts"])
    assert offender.expected == "pushes an image that comes back"


def test_who_is_refused_is_red_and_its_words_are_told(crane, store, tmp_path):
    [offender], _ = run(store, [crane("is refused")], tmp_path, offenders_of)
    assert "crane push ended with 1: GET https://h/v2/: denied" in offender.observed


def test_a_client_that_does_not_trust_the_registry_is_no_verdict(crane, store, tmp_path):
    with pytest.raises(CannotTell, match="x509"):
        run(store, [crane("trusts nobody")], tmp_path)


def test_a_kind_that_a_client_cannot_handle_is_not_asked_of_it(crane, store, tmp_path):
    class Pictures(known.Helm):
        version = "4"

        def pull(self, repository, tag):
            raise AssertionError("not for it")

        def push(self, repository, tag):
            raise ClientRefused("helm push ended with 1")

    helm = Pictures(tmp_path / "helm", None, run_id="r")
    [offender], matrix = run(store, [crane(), helm], tmp_path, offenders_of)
    assert offender.object == "client helm"
    assert [line.split()[-2:] for line in matrix.splitlines()[1:3]] == [["same", "-"], ["-", "-"]]


def test_credentials_are_in_a_file_of_this_user_and_on_no_command_line(workspace, tmp_path):
    seen = script(tmp_path / "seen", '#!/bin/sh\necho "$@"; cat "$DOCKER_CONFIG/config.json"; env\n')
    said = workspace.ask(seen, "pull", "x")
    assert said.startswith("pull x\n")
    assert ADMIN.password not in said
    assert "czNjcmV0LXdvcmQ" in said or "YWRtaW46" in said
    file = workspace.folder / "config.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"REGISTRY_AUTH_FILE={file}" in said


def test_the_ca_of_the_suite_is_the_clients(tmp_path):
    place = Place("h", ADMIN, ca_file=tmp_path / "ca.pem")
    seen = script(tmp_path / "seen", "#!/bin/sh\nenv\n")
    assert f"SSL_CERT_FILE={tmp_path}/ca.pem" in Workspace(tmp_path, place, timeout_s=5).try_alone(seen)


def test_an_object_store_may_be_behind_a_proxy_and_the_front_door_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://p:3128")
    monkeypatch.setenv("NO_PROXY", ".intern")
    seen = script(tmp_path / "seen", "#!/bin/sh\nenv\n")
    said = Workspace(tmp_path, Place("h:5000", ADMIN), timeout_s=5).try_alone(seen).splitlines()
    assert {"HTTPS_PROXY=http://p:3128", "NO_PROXY=.intern,h"} <= set(said)


def test_who_goes_elsewhere_and_is_lost_there_was_sent_there_by_the_registry(workspace, tmp_path):
    lost = script(tmp_path / "lost", '#!/bin/sh\necho "Get http://store.local/b: no such host" >&2; exit 1\n')
    with pytest.raises(ClientRefused):
        workspace.ask(lost)


def test_a_client_that_hangs_is_no_verdict(tmp_path):
    hung = script(tmp_path / "hung", "#!/bin/sh\nexec sleep 60\n")
    with pytest.raises(CannotTell, match="did not end"):
        Workspace(tmp_path, Place("h", ADMIN), timeout_s=0.2).ask(hung)


def test_a_signature_of_another_image_is_wrong(workspace, tmp_path):
    digest = "sha256:" + 64 * "1"
    answer = json.dumps([{"critical": {"image": {"docker-manifest-digest": "sha256:" + 64 * "2"}}}])
    client = known.Cosign(script(tmp_path / "cosign", f"#!/bin/sh\necho '{answer}'\n"), workspace, run_id="r")
    client.prepare()
    with pytest.raises(WrongContent, match="the signature is of"):
        client.pull("p/r", digest.replace(":", "-") + ".sig")


def test_the_folder_that_is_named_comes_before_the_path(tmp_path):
    for folder in ("named", "path"):
        (tmp_path / folder).mkdir()
        script(tmp_path / folder / "crane", "#!/bin/sh\n")
    script(tmp_path / "path" / "oras", "#!/bin/sh\n")
    found = known.find(tmp_path / "named", str(tmp_path / "path"))
    assert found == {"crane": tmp_path / "named" / "crane", "oras": tmp_path / "path" / "oras"}


def test_without_any_client_the_check_is_blocked_and_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    state = SimpleNamespace(settings=SimpleNamespace(clients_dir=None))
    reason = needs._clients(state)
    assert "install one or more" in reason
    assert not isinstance(reason, needs.NotOwed), "it is blocked"
