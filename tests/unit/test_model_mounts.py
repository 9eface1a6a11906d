"""The table of mounts, as a container's /proc/self/mounts has it."""

from harbor_verify.model.mounts import mounts_of

TABLE = r"""overlay / overlay rw,relatime,lowerdir=/a:/b 0 0
proc /proc proc rw,nosuid 0 0
ceph-fuse /storage fuse.ceph-fuse rw,nosuid,nodev,allow_other 0 0
/dev/vda /etc/registry ext4 ro,relatime 0 0
tmpfs /with\040blank tmpfs rw 0 0
tmpfs /twice tmpfs rw 0 0
nfs:/export /twice nfs4 ro,vers=4.1 0 0
"""


def test_each_mount_is_found_at_its_point():
    mounts = mounts_of(TABLE)
    assert str(mounts["/storage"]) == "ceph-fuse of type fuse.ceph-fuse, rw"
    assert mounts["/storage"].writable
    assert not mounts["/etc/registry"].writable
    assert mounts["/with blank"].device == "tmpfs"


def test_the_last_mount_at_a_point_hides_the_first():
    assert str(mounts_of(TABLE)["/twice"]) == "nfs:/export of type nfs4, ro"


def test_a_table_that_is_none_has_no_mounts():
    assert mounts_of("") == {}
    assert mounts_of("\nword\n") == {}
