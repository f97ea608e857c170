"""The key-encryption key: 32 bytes in base64, from the environment, a command (so that a KMS fits) or a 0600 file."""

from __future__ import annotations

import base64
import binascii
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from chekt_mcp.domain.api_key import RandomBytes
from chekt_mcp.errors import SecretUnreadable
from chekt_mcp.secrets.command import child_environment
from chekt_mcp.secrets.whole_file import open_directory, read_small, temporary_file

LENGTH = 32
COMMAND_TIMEOUT = 30.0
"""Seconds a command may take to print the key."""


def load(*, file: Path, encoded: str | None, command: tuple[str, ...] | None) -> bytes:
    """Return the 32 bytes: `encoded` (base64) wins over the output of `command`, which wins over `file`.

    Raises:
        SecretUnreadable: the one that counts cannot be had or used; never falls back to the next.
    """
    if encoded is not None:
        return _decoded(encoded.encode(), "CHEKT_MCP_KEK")
    if command is not None:
        return _decoded(_printed_by(command), "The output of CHEKT_MCP_KEK_COMMAND")
    return _decoded(_content(file), "The key-encryption key file")


def create_file(file: Path, random: RandomBytes) -> bytes:
    """Write a new key to `file` (0600, durable) and return it; where one stands already, return that one.

    The new file is linked into place whole: of two processes at once one wins, and both return its key.

    Raises:
        SecretUnreadable: it can be neither written nor read.
    """
    try:
        with open_directory(file.parent) as directory:
            _link_new(directory, file.name, base64.b64encode(random(LENGTH)) + b"\n")
            # The winner may not have come as far, and what is sealed from now on hangs on this file.
            os.fsync(directory)
    except OSError as error:
        raise SecretUnreadable(
            "The key-encryption key file cannot be written.",
            fix="Check the permissions and space of the state directory.",
        ) from error
    return load(file=file, encoded=None, command=None)


def _link_new(directory: int, name: str, content: bytes) -> None:
    with temporary_file(directory, name, content) as temporary, suppress(FileExistsError):
        os.link(temporary, name, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)


def _decoded(text: bytes, source: str) -> bytes:
    # The messages say nothing of the content, and neither does the exception: it is raised outside any handler.
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != LENGTH:
        raise SecretUnreadable(
            f"{source} is not a key of 32 bytes in base64.", fix="Give the key that this state was made with."
        )
    return key


def _content(file: Path) -> bytes:
    try:
        found = read_small(file)
    except FileNotFoundError:
        raise SecretUnreadable(
            "The key-encryption key file is missing.",
            fix="Restore it from a backup; without it nothing that was sealed can be opened.",
        ) from None
    except OSError as error:
        raise SecretUnreadable(
            "The key-encryption key file cannot be read.", fix="Make it this user's, and run chmod 600 on it."
        ) from error
    if not found.regular or found.status.st_mode & 0o077 or found.status.st_uid not in {os.geteuid(), 0}:
        raise SecretUnreadable(
            "The key-encryption key file is open to others than this user.",
            fix="Make it a file of this user, and run chmod 600 on it.",
        )
    return found.content


def _printed_by(command: tuple[str, ...]) -> bytes:
    output = _output(command)
    if output is None:
        raise SecretUnreadable(
            "The command that prints the key-encryption key failed.",
            fix="Run what CHEKT_MCP_KEK_COMMAND says by hand: it must print the key within 30 seconds and end with 0.",
        )
    return output


def _output(command: tuple[str, ...]) -> bytes | None:
    quiet, pipe = subprocess.DEVNULL, subprocess.PIPE
    try:
        # The operator's own command, without a shell.
        process = subprocess.Popen(  # noqa: S603 -- see above
            command, stdin=quiet, stdout=pipe, stderr=quiet, env=child_environment(), start_new_session=True
        )
    except OSError:
        return None
    with process:
        try:
            output, _ = process.communicate(timeout=COMMAND_TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return None
    return output if process.returncode == 0 else None
