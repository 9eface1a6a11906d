"""Harbor's own programs, from an archive that somebody gives: which parts they are, and what runs instead of what."""

import gzip
import io
import json
import tarfile

import pytest

from lab import layouts, profiles, settings
from lab.deployment import images
from lab.deployment.manifests.objects import container_of, find, read
from lab.errors import LabError
from lab.given import programs
from lab.stores import postgresql

HARBOR = profiles.HARBOR_2


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "STATE", tmp_path / "state")
    monkeypatch.setattr(images, "FOLDER", tmp_path / "cache")


def saved(*tags: str) -> bytes:
    """As `docker save` writes it, but for the images."""
    return packed({"manifest.json": json.dumps([{"RepoTags": [tag]} for tag in tags]).encode()})


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


ARCHIVE = saved("goharbor/harbor-core:v2.13.0", "goharbor/prepare:v2.13.0", "example.com/x/nginx-photon:mine")


@pytest.mark.parametrize(
    "content",
    [
        ARCHIVE,
        gzip.compress(ARCHIVE),
        gzip.compress(
            packed({"harbor/harbor.v2.13.0.tar.gz": gzip.compress(ARCHIVE), "harbor/LICENSE": b""})
        ),
    ],
    ids=["docker save", "compressed", "a release"],
)
def test_what_is_given_runs_in_the_place_of_what_has_its_name(tmp_path, content):
    file = tmp_path / "harbor.tgz"
    file.write_bytes(content)
    programs.keep(HARBOR, file)
    file.unlink()
    objects = read(HARBOR.manifests, namespace=HARBOR.namespace)
    layouts.with_change(HARBOR, None)(objects)
    assert container_of(objects, "harbor-core")["image"] == "goharbor/harbor-core:v2.13.0"
    assert container_of(objects, "harbor-nginx")["image"] == "example.com/x/nginx-photon:mine"
    assert container_of(objects, "harbor-portal")["image"] == "goharbor/harbor-portal:v2.15.2"
    assert find(objects, "ConfigMap", "harbor-core")["data"]["POSTGRESQL_DATABASE"] == postgresql.OWN_DATABASE
    assert "harbor-core:v2.13.0" in programs.remark(HARBOR)
    assert "harbor.tgz" in programs.remark(HARBOR)
    (kept,) = images.FOLDER.iterdir()
    assert kept.read_bytes() == ARCHIVE


def test_without_any_the_stand_in_runs_and_says_so(tmp_path):
    assert layouts.with_change(HARBOR, None) is None
    assert "stand-in" in programs.remark(HARBOR)
    file = tmp_path / "harbor.tar"
    file.write_bytes(ARCHIVE)
    programs.keep(HARBOR, file)
    programs.forget(HARBOR)
    assert layouts.with_change(HARBOR, None) is None


@pytest.mark.parametrize(
    "content, message",
    [
        (saved("goharbor/prepare:v2.13.0"), "no image of a part of Harbor .*goharbor/prepare:v2.13.0"),
        (packed({"a": b""}), "holds neither images"),
        (b"no archive", "cannot be read as an archive of images"),
        (gzip.compress(ARCHIVE)[:100], "cannot be read as an archive of images"),
    ],
    ids=["of others", "of no images", "no archive", "broken off"],
)
def test_what_is_no_archive_of_harbors_images_is_one_message_and_changes_nothing(tmp_path, content, message):
    file = tmp_path / "harbor.tgz"
    file.write_bytes(content)
    with pytest.raises(LabError, match=message):
        programs.keep(HARBOR, file)
    assert programs.given(HARBOR) is None


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(LabError, match="there is no file"):
        programs.keep(HARBOR, tmp_path / "absent.tgz")


@pytest.mark.parametrize(
    "image, name",
    [
        ("registry.example.com:5000/goharbor/harbor-core:v2.13.0", "harbor-core"),
        ("nginx-photon", "nginx-photon"),
        ("example.com/harbor-db@sha256:00", "harbor-db"),
    ],
)
def test_the_last_part_of_an_images_name(image, name):
    assert images.repository(image) == name
