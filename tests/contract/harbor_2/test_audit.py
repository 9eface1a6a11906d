"""The audit on a real registry with a real Redis and PostgreSQL: each damage is told as what it is, and no other."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harbor_verify.audit import cache, records, storage
from harbor_verify.audit.kinds import Kind
from harbor_verify.audit.notebook import Notebook
from harbor_verify.audit.pace import Pace
from harbor_verify.audit.result import gather
from harbor_verify.audit.walk import Source, Walk
from harbor_verify.clients.databases import open_sql
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.http import HttpClient
from harbor_verify.clients.image import Image
from harbor_verify.clients.redis_store import RedisStore
from harbor_verify.clients.registry import Registry, by_password
from harbor_verify.model.stores import Database, SessionStore
from harbor_verify.profiles.harbor_2 import PROFILE
from tests.contract.harbor_2.stack import (
    ADMIN_PASSWORD,
    DATABASE,
    DATABASE_PASSWORD,
    DATABASE_USER,
    REDIS_PASSWORD,
    REGISTRY_PASSWORD,
    REGISTRY_USER,
    Stack,
)

VERSION = "2.15"
ADMIN = Credentials("admin", ADMIN_PASSWORD)
TIMEOUTS_S = (5, 30)
CONTENTS = PROFILE.contents


class Parts:
    """The stack, as an audit reaches it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.api = PROFILE.api(HttpClient("web-0", stack.url("core-a"), timeouts_s=TIMEOUTS_S))
        self.front = Registry(
            HttpClient("web-0", stack.url("core-a"), timeouts_s=TIMEOUTS_S), by_password(ADMIN)
        )

    def sql(self):
        port = self.stack["postgresql"].port
        database = Database("postgresql", "127.0.0.1", port, DATABASE_USER, DATABASE_PASSWORD, DATABASE)
        return open_sql(database, database.address, timeouts_s=TIMEOUTS_S)

    def redis(self) -> RedisStore:
        store = SessionStore("127.0.0.1", self.stack["redis"].port, REDIS_PASSWORD, 1)
        return RedisStore(store, store.address, timeouts_s=TIMEOUTS_S)

    def source(self) -> Source:
        login = by_password(Credentials(REGISTRY_USER, REGISTRY_PASSWORD))
        url = self.stack.url("registry")
        return Source("pod registry-0", lambda: Registry(HttpClient("r", url, timeouts_s=TIMEOUTS_S), login))

    def push(self, content: bytes, repository: str = "library/kept") -> Image:
        image = Image.make(content, run_id="x")
        self.front.push(image, repository, f"t{len(content)}")
        return image

    def data(self, digest: str) -> Path:
        (root,) = self.stack.folder.glob("*/docker/registry/v2/blobs/sha256")
        return root / digest[7:9] / digest[7:] / "data"

    def audit(self) -> dict[str, set[Kind]]:
        """The kinds of what is wrong, by digest."""
        notebook = Notebook()
        records.list_api(notebook, self.api, ADMIN, lambda: None)
        with self.sql() as sql:
            records.list_database(notebook, CONTENTS, sql, lambda: None)
        with Walk(notebook, [self.source()], Pace()) as walk, self.redis() as redis:
            walk.read_manifests()
            walk.read_blobs()
            cache.descriptors(notebook, redis, "Redis")
            cache.links(notebook, walk, redis, "Redis", notebook.has_repository)
        with self.sql() as sql:
            records.compare(notebook, CONTENTS, sql, self.api, ADMIN)
        assert notebook.unknowns() == []
        found: dict[str, set[Kind]] = {}
        for each in gather(notebook):
            found.setdefault(each.digest, set()).add(each.kind)
        return found


@pytest.fixture(scope="module")
def parts(stack: Stack) -> Parts:
    parts = Parts(stack)
    parts.push(b"whole")
    return parts


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))


DAMAGES: dict[str, tuple[Callable[[Path], None], bool, Kind]] = {
    "missing": (Path.unlink, False, Kind.MISSING),
    "stale": (Path.unlink, True, Kind.STALE),
    "truncated": (_cut, True, Kind.TRUNCATED),
    "truncated, and Redis does not know it": (_cut, False, Kind.TRUNCATED),
    "one bit": (_flip, True, Kind.OTHER_BYTES),
}
"""What is done to the file, whether Redis goes on vouching for it, and what it is then."""


def test_images_that_are_whole_are_told_so(parts: Parts) -> None:
    assert parts.audit() == {}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_layer_is_told_as_what_it_is(parts: Parts, name: str) -> None:
    damage, vouched, kind = DAMAGES[name]
    layer = parts.push(name.encode() * 30).layer_digest
    file = parts.data(layer)
    before = file.read_bytes()
    damage(file)
    if not vouched:
        with parts.redis() as redis:
            redis._client.flushdb()
    assert parts.audit() == {layer: {kind}}
    file.write_bytes(before)
    with parts.redis() as redis:
        redis._client.flushdb()
    assert parts.audit() == {}


def test_a_manifest_that_is_no_json_any_more_is_unreadable(parts: Parts) -> None:
    image = parts.push(b"unreadable")
    file = parts.data(image.digest)
    before = file.read_bytes()
    _cut(file)
    assert parts.audit() == {image.digest: {Kind.UNREADABLE}}
    file.write_bytes(before)


def test_another_harbors_layer_in_redis_is_told(parts: Parts) -> None:
    theirs = f"sha256:{'ab' * 32}"
    members = "repository::theirs/app::blobs"
    keys = (f"blobs::{theirs}", f"{members}::{theirs}")
    with parts.redis() as redis:
        redis._client.hset(keys[0], mapping={"digest": theirs, "size": "77", "mediatype": "x/y"})
        redis._client.hset(keys[1], mapping={"mediatype": "x/y"})
        assert parts.audit() == {}  # the registry asks the set of a repository first
        redis._client.sadd(members, theirs)
        assert parts.audit() == {theirs: {Kind.FOREIGN}}
        redis._client.delete(*keys, members)


def test_what_the_database_does_not_protect_miscounts_or_has_left_over_is_told(parts: Parts) -> None:
    image, left = parts.push(b"unprotected"), f"sha256:{'cd' * 32}"
    layer, configuration = image.layer_digest, image.configuration_digest
    parts.stack.sql(
        f"""DELETE FROM artifact_blob WHERE digest_af = '{image.digest}' AND digest_blob = '{layer}';
        UPDATE blob SET size = size + 1 WHERE digest = '{configuration}';
        INSERT INTO blob (digest, size, status, update_time)
            VALUES ('{left}', 5, 'deleting', CURRENT_TIMESTAMP - interval '1 hour')"""
    )
    assert parts.audit() == {
        layer: {Kind.UNPROTECTED},
        configuration: {Kind.MISCOUNTED},
        left: {Kind.DELETING},
    }
    parts.stack.sql(f"DELETE FROM blob WHERE digest = '{left}'")


def test_a_file_that_the_database_does_not_know_is_an_orphan(parts: Parts) -> None:
    known = parts.push(b"known")
    root = next(parts.stack.folder.glob("*/docker")).parent

    def run(argv: list[str]) -> str:
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    files = storage.files(run, str(root), storage.PREFIXES)
    assert known.digest in {file.digest for file in files}
    old = [storage.File(file.digest, file.size, 9999) for file in files]
    with parts.sql() as sql:
        told = list(storage.orphans(old, lambda digests: CONTENTS.recorded(sql, digests), "pod registry-0"))
        assert told == []
        stranger = storage.File(f"sha256:{'ef' * 32}", 5, 9999)
        (orphan,) = storage.orphans([*old, stranger], lambda digests: CONTENTS.recorded(sql, digests), "pod")
    assert orphan.digest == stranger.digest


def test_proxy_caches_are_left_out(parts: Parts) -> None:
    parts.api.create_project("hub", ADMIN)
    image = parts.push(b"cached", "hub/app")
    file = parts.data(image.layer_digest)
    file.unlink()
    parts.stack.sql("UPDATE project SET registry_id = 1 WHERE name = 'hub'")
    told = parts.audit()
    assert image.digest not in told
    assert set(told.get(image.layer_digest, ())) <= {Kind.STALE, Kind.FOREIGN}
