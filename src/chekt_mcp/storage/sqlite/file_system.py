"""Where the state lies: SQLite's WAL needs memory shared by all its processes, which no network file system gives.

sqlite.org/wal.html: "All processes using a database must be on the same host computer; WAL does not work over a
network filesystem." Linux only, by /proc/self/mountinfo (proc_pid_mountinfo(5)); elsewhere SQLite's own refusal
of WAL is what is left.
"""

from __future__ import annotations

import re
from pathlib import Path

from chekt_mcp.errors import StateUnusable

MOUNTS = Path("/proc/self/mountinfo")
NETWORK = re.compile(
    r"nfs[0-9]*|cifs|smb[0-9]*|smbfs|9p|afs|ncpfs|coda|ceph|glusterfs|lustre|gpfs|beegfs|orangefs|pvfs2|gfs2|ocfs2|davfs"
    r"|fuse\.(?:sshfs|davfs2?|gcsfuse|s3fs|goofys|rclone|glusterfs|ceph|ceph-fuse|smbnetfs|curlftpfs|juicefs|nfs.*)"
)
OCTAL = re.compile(r"\\([0-7]{3})")


def read_mounts() -> str:
    """Return the mount table of this process; empty where the system has none to read."""
    try:
        return MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def refuse_network(directory: Path, mounts: str) -> None:
    """Refuse a directory on a network file system.

    Raises:
        StateUnusable: code `state_network_filesystem`.
    """
    kind = mounted_as(directory.resolve(), mounts)
    if kind is not None and NETWORK.fullmatch(kind):
        raise StateUnusable(
            f"The state directory is on a network file system ({kind}), which several processes cannot share safely.",
            code="state_network_filesystem",
            fix="Choose a directory on a local disk with --state or CHEKT_MCP_STATE.",
        )


def mounted_as(directory: Path, mounts: str) -> str | None:
    """Return the file system type that holds an absolute `directory`; None when the table does not tell.

    The longest mount point above it counts, and of equals the last, which covers the others.
    """
    best: tuple[int, str] | None = None
    for line in mounts.splitlines():
        place, _, source = line.partition(" - ")
        fields = place.split(" ")
        if len(fields) < 5 or not source:  # noqa: PLR2004 -- the mount point is the fifth field
            continue
        point = Path(OCTAL.sub(lambda found: chr(int(found.group(1), 8)), fields[4]))
        depth = len(point.parts)
        if (best is None or depth >= best[0]) and directory.is_relative_to(point):
            best = depth, source.split(" ")[0]
    return None if best is None else best[1]
