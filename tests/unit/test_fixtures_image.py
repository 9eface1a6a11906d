"""Images made on the spot: what their bytes say of each other."""

import gzip
import hashlib
import io
import json
import tarfile

import pytest

from harbor_verify.clients.image import MANIFEST_TYPE, Image, digest_of

IMAGE = Image.make(b"content", run_id="r1")


def test_a_digest_is_the_sha256_of_the_bytes():
    assert digest_of(b"") == f"sha256:{hashlib.sha256(b'').hexdigest()}"
    assert IMAGE.digest == digest_of(IMAGE.manifest)


def test_a_manifest_names_its_layer_and_configuration_by_digest_and_size():
    manifest = json.loads(IMAGE.manifest)
    assert (manifest["schemaVersion"], manifest["mediaType"]) == (2, MANIFEST_TYPE)
    for named, content in ((manifest["config"], IMAGE.configuration), (manifest["layers"][0], IMAGE.layer)):
        assert (named["digest"], named["size"]) == (digest_of(content), len(content))
    assert IMAGE.layer_digest == digest_of(IMAGE.layer)
    assert IMAGE.configuration_digest == digest_of(IMAGE.configuration)


def test_the_layer_is_a_packed_tar_of_the_content_and_the_configuration_knows_it_unpacked():
    tar = gzip.decompress(IMAGE.layer)
    with tarfile.open(fileobj=io.BytesIO(tar)) as files:
        (entry,) = files.getmembers()
        assert files.extractfile(entry).read() == b"content"
    configuration = json.loads(IMAGE.configuration)
    assert configuration["rootfs"]["diff_ids"] == [digest_of(tar)]
    assert configuration["config"]["Labels"] == {"harbor-verify.run": "r1"}


def test_the_same_content_gives_the_same_image_and_other_content_another():
    assert Image.make(b"content", run_id="r1") == IMAGE
    other = Image.make(b"other", run_id="r1")
    assert len({IMAGE.digest, other.digest}) == 2
    assert len({IMAGE.layer_digest, other.layer_digest}) == 2


def test_an_image_that_was_only_parsed_knows_what_its_manifest_names():
    parsed = Image.parse(IMAGE.manifest)
    assert parsed.layer_digest == IMAGE.layer_digest
    assert not parsed.layer
    assert parsed != IMAGE


@pytest.mark.parametrize(
    "manifest",
    [b"not json", b"[]", b"{}", b'{"config": {}, "layers": []}', b'{"config": null, "layers": [null]}'],
)
def test_a_manifest_of_another_kind_names_nothing(manifest):
    parsed = Image.parse(manifest)
    assert (parsed.layer_digest, parsed.configuration_digest) == ("", "")
