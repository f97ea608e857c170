from __future__ import annotations

from pathlib import Path

import pytest

from chekt_mcp.errors import StateUnusable
from chekt_mcp.storage.sqlite.file_system import mounted_as, read_mounts, refuse_network

ROOT = "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw"


def mount(point: str, kind: str) -> str:
    return f"36 22 0:40 / {point} rw,relatime shared:2 master:1 - {kind} source rw,vers=4"


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs", "fuse.rclone"]
)
def test_network_file_systems_are_refused(kind: str) -> None:
    with pytest.raises(StateUnusable) as refused:
        refuse_network(Path("/home/me/state"), f"{ROOT}\n{mount('/home', kind)}\n")
    assert refused.value.code == "state_network_filesystem"
    assert kind in refused.value.message


@pytest.mark.parametrize(
    "kind", ["ext4", "xfs", "btrfs", "zfs", "apfs", "tmpfs", "overlay", "fuse.gocryptfs", "virtiofs"]
)
def test_local_file_systems_are_taken(kind: str) -> None:
    refuse_network(Path("/home/me/state"), f"{ROOT}\n{mount('/home', kind)}\n")


def test_the_nearest_mount_counts_and_of_equals_the_last() -> None:
    table = "\n".join(
        [mount("/home/me", "ext4"), ROOT, mount("/home", "nfs"), mount("/data", "nfs"), mount("/data", "xfs")]
    )
    assert mounted_as(Path("/home/me/state"), table) == "ext4"
    assert mounted_as(Path("/home/you/state"), table) == "nfs"
    assert mounted_as(Path("/homework"), table) == "ext4"
    assert mounted_as(Path("/data/x"), table) == "xfs"


def test_a_mount_point_with_odd_characters_is_read() -> None:
    assert mounted_as(Path("/mnt/my share/state"), mount(r"/mnt/my\040share", "cifs")) == "cifs"


@pytest.mark.parametrize("table", ["", "\n\n", "nonsense", "a b c d e", " - ", "36 35 98:0 / /x"])
def test_a_table_that_tells_nothing_refuses_nothing(table: str) -> None:
    assert mounted_as(Path("/home/me"), table) is None
    refuse_network(Path("/home/me"), table)


def test_a_link_is_followed_to_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far")
    with pytest.raises(StateUnusable):
        refuse_network(tmp_path / "link", f"{ROOT}\n{mount(f'{tmp_path.resolve()}/far', 'nfs')}\n")


def test_this_systems_own_table_can_be_read(tmp_path: Path) -> None:
    refuse_network(tmp_path, read_mounts())
