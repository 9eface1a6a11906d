"""What is done to a layer in the lab's volume, tried on a folder; and how the images come there."""

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab import machine_control
from lab.defects import left_images, registry_mounts
from lab.defects.harbor_2 import (
    blob_bit_flipped,
    blob_missing,
    blob_truncated,
    blob_unknown_to_the_database,
    layer_missing_on_one_replica,
    registry_cache_of_another,
    registry_cache_stale,
)

PLACE = "/storage"


@pytest.fixture
def volume(tmp_path, monkeypatch):
    """(lab, the layer's file, what Redis and the front door were told)."""
    number = left_images.DIGEST[7:]
    data = tmp_path / "docker/registry/v2/blobs/sha256" / number[:2] / number / "data"
    data.parent.mkdir(parents=True)
    told = []

    def kubectl(*words, **_):
        script = words[-1].replace(PLACE, str(tmp_path))
        return subprocess.run(["sh", "-ec", script], check=True, capture_output=True, text=True).stdout

    def ask(lab, method, target, body=None, kind="", *, expected):
        told.append((method, target.partition("?")[0]))
        return SimpleNamespace(headers={"Location": "https://h/v2/p/blobs/uploads/1?_state=s"})

    monkeypatch.setattr(left_images, "ask", ask)
    monkeypatch.setattr(left_images, "in_cache", lambda *words: told.append(words))
    monkeypatch.setattr(left_images, "forget_all", lambda: None)
    return SimpleNamespace(kubectl=kubectl, profile=SimpleNamespace(namespace="h")), data, told


@pytest.mark.parametrize("module", [blob_missing, registry_cache_stale])
def test_a_layer_is_gone_and_comes_back(volume, module):
    lab, data, told = volume
    module.DEFECT.plant_outside(lab)
    assert not data.exists()
    assert (
        ("DEL", *(f"{each}::{left_images.DIGEST}" for each in ("blobs", "repository::library/kept::blobs")))
        in told
    ) == (module is blob_missing)
    module.DEFECT.plant_outside(lab)
    module.DEFECT.heal_outside(lab)
    assert data.read_bytes() == left_images.LAYER
    assert told[-1] == ("DELETE", "/api/v2.0/projects/library/repositories/kept")


def test_a_layer_is_cut_off(volume):
    lab, data, _ = volume
    blob_truncated.DEFECT.plant_outside(lab)
    assert data.read_bytes() == left_images.LAYER[:100]


def test_exactly_one_bit_is_another(volume):
    lab, data, _ = volume
    blob_bit_flipped.DEFECT.plant_outside(lab)
    pairs = zip(data.read_bytes(), left_images.LAYER, strict=True)
    assert sum((one ^ other).bit_count() for one, other in pairs) == 1


def test_both_images_are_pushed_whole(volume):
    lab, data, told = volume
    left_images.leave(lab)
    assert data.read_bytes() == left_images.LAYER
    manifests = [target for method, target in told if "manifests" in target]
    assert manifests == ["/v2/library/kept/manifests/whole", "/v2/library/kept/manifests/damaged"]
    assert sum(method == "POST" for method, _ in told) == 4


def test_a_file_of_the_day_before_yesterday_lies_there_until_it_is_healed(volume, tmp_path):
    lab, data, _ = volume
    blob_unknown_to_the_database.DEFECT.plant_outside(lab)
    (strange,) = (each for each in Path(tmp_path).rglob("data") if each != data)
    assert strange.stat().st_mtime < data.parent.stat().st_mtime - 86400
    blob_unknown_to_the_database.DEFECT.heal_outside(lab)
    assert not strange.exists()


def test_redis_vouches_for_another_harbors_layer_until_it_is_healed(volume):
    lab, _, told = volume
    registry_cache_of_another.DEFECT.plant_outside(lab)
    made = {words[1] for words in told}
    told.clear()
    registry_cache_of_another.DEFECT.heal_outside(lab)
    assert {key for words in told for key in words[1:]} == made


def test_redis_vouches_for_little_else_before_images_are_left(volume, monkeypatch):
    lab, _, told = volume
    monkeypatch.setattr(left_images, "forget_all", lambda: told.append("emptied"))
    left_images.leave(lab)
    assert told[0] == "emptied"
    told.clear()
    registry_cache_of_another.DEFECT.plant_outside(lab)
    assert told[0] == "emptied"


def test_one_replica_alone_lacks_the_layer_the_one_that_is_asked_for_it_first(monkeypatch):
    def pod(name, created, **metadata):
        status = [
            {"name": part, "containerID": f"containerd://{part}-{name}"}
            for part in ("registryctl", "registry")
        ]
        return {
            "metadata": {"name": name, "creationTimestamp": created} | metadata,
            "spec": {"nodeName": f"node-of-{name}"},
            "status": {"containerStatuses": status},
        }

    pods = [pod("a", "3"), pod("b", "1"), pod("c", "1"), pod("gone", "0", deletionTimestamp="4")]
    lab = SimpleNamespace(
        kubectl=lambda *_: json.dumps({"items": pods}), profile=SimpleNamespace(namespace="h")
    )
    places, told = ["b", "c", "a"], []
    monkeypatch.setattr(left_images, "leave", lambda lab: told.append("left"))
    monkeypatch.setattr(left_images, "remove", lambda lab: told.append("removed"))
    monkeypatch.setattr(
        machine_control, "first_process", lambda node, container: (node, container.removeprefix("registry-"))
    )
    monkeypatch.setattr(registry_mounts, "run", lambda argv: told.append(tuple(argv)))
    layer_missing_on_one_replica.DEFECT.plant_outside(lab)
    asked_first = places[int(left_images.DIGEST[-8:], 16) % 3]
    assert told[0] == "left"
    assert told[1][1] == f"--target={(f'node-of-{asked_first}', asked_first)}"
    assert len(told) == 2
    layer_missing_on_one_replica.DEFECT.heal_outside(lab)
    assert [words[1].partition("node-of-")[2][0] for words in told[2:-1]] == places
    assert told[-1] == "removed"
