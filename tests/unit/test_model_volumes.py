"""Where the data of a PersistentVolume is."""

import pytest
from kubernetes import client

from harbor_verify.model.volumes import source_of


def cephfs(path, *monitors):
    return {"cephfs": client.V1CephFSPersistentVolumeSource(monitors=list(monitors), path=path)}


@pytest.mark.parametrize(
    "source, told",
    [
        (cephfs("/apps/log/", "b:6789", "a:6789"), "CephFS a:6789,b:6789:/apps/log"),
        (cephfs(None, "a:6789"), "CephFS a:6789:/"),
        ({"nfs": client.V1NFSVolumeSource(server="s", path="/export")}, "NFS s:/export"),
        (
            {"csi": client.V1CSIPersistentVolumeSource(driver="cephfs.csi.ceph.com", volume_handle="h")},
            "cephfs.csi.ceph.com h",
        ),
        ({"host_path": client.V1HostPathVolumeSource(path="/x")}, None),
    ],
)
def test_the_source_of_a_volume_has_one_spelling(source, told):
    volume = client.V1PersistentVolume(spec=client.V1PersistentVolumeSpec(**source))
    assert source_of(volume) == told
