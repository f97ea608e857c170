"""The Vault sink: one field of one secret in HashiCorp Vault's (or OpenBao's) KV version 2 engine.

A secret that is there keeps its other fields (PATCH); one that is not, or was deleted, is written anew. Every write
names the version it replaces (check-and-set), so that two writers cannot both win. The token, in a file that Vault
Agent may renew, needs on `<mount>/data/<path>` the capability `create` (no secret yet) or `patch` (one is there),
and `update` where it was deleted; and `read` on `<mount>/metadata/<path>`. The value is never read back.
API: https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import SplitResult, urlsplit

from chekt_mcp.domain.exposure import contains_credential
from chekt_mcp.errors import DeliveryFailed, InvalidInput
from chekt_mcp.secrets.file import read_key_file
from chekt_mcp.secrets.interface import not_delivered, target_of
from chekt_mcp.secrets.vault_api import Secret, Standing, VaultApi, open_api

SEGMENTS = re.compile(r"[^/\s?#%\x00-\x1f\x7f]+(?:/[^/\s?#%\x00-\x1f\x7f]+)*")
PRINTABLE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class VaultSink:
    """Where a field lives in Vault, and how to get there. `timeout` is seconds for each request.

    Without `check_and_set` a write made by somebody else at the same moment is overwritten.

    Raises:
        InvalidInput: a setting that cannot be right (plain http to another machine, for one); code `bad_setting`.
    """

    address: str
    mount: str
    path: str
    field: str
    token_file: Path
    namespace: str | None = None
    ca_file: Path | None = None
    check_and_set: bool = True
    timeout: float = 10.0
    name: ClassVar[str] = "vault"

    def __post_init__(self) -> None:
        _check_address(self.address)
        for setting, value in (("mount", self.mount), ("path", self.path), ("namespace", self.namespace or "root")):
            if not SEGMENTS.fullmatch(value) or {".", ".."} & set(value.split("/")) or not value.isascii():
                raise _bad_setting(setting, "is not a path of plain segments without a slash at either end")
            if contains_credential(value):
                raise _bad_setting(setting, "holds something shaped like a key")
        if not PRINTABLE.fullmatch(self.field) or contains_credential(self.field):
            raise _bad_setting("field", "is not a plain name")

    @property
    def target(self) -> str:
        """Every setting; the token stays in its file."""
        return target_of(**{name: getattr(self, name) for name in self.__dataclass_fields__ if name != "name"})

    @property
    def reference(self) -> str:
        """The field and the secret."""
        return f"the field {self.field} of {self.path} in Vault"

    async def prove(self) -> None:
        """Ask for the token's capabilities and the secret's version; nothing is written. See `Sink`."""
        async with self._api() as vault:
            await vault.check_engine()
            standing = await vault.standing()
            missing = _needed(standing) - await vault.capabilities()
        if missing:
            raise self._failed(
                f"its token lacks the capability {', '.join(sorted(missing))} on its data path",
                "Add it to the token's policy.",
            )

    async def deliver(self, value: str) -> None:
        """Write the field as the next version of the secret; see `Sink`."""
        async with self._api() as vault:
            standing = await vault.standing()
            version = standing.version if self.check_and_set else None
            if standing.version and await vault.patch(self.field, value, version):
                return
            await vault.create(self.field, value, version)

    @asynccontextmanager
    async def _api(self) -> AsyncIterator[VaultApi]:
        secret = Secret(self.mount, self.path, self.reference)
        headers = {"X-Vault-Token": self._token(), "X-Vault-Request": "true"}
        if self.namespace:
            headers["X-Vault-Namespace"] = self.namespace
        async with open_api(secret, self.address, headers, ca_file=self.ca_file, seconds=self.timeout) as api:
            yield api

    def _token(self) -> str:
        try:
            token = read_key_file(self.token_file)
        except InvalidInput as error:
            raise self._failed(
                f"its token file cannot be used ({error.code.removeprefix('key_file_')})", error.fix
            ) from error
        if not PRINTABLE.fullmatch(token):
            raise self._failed("its token file holds no token", "Put the token alone into it.")
        return token

    def _failed(self, reason: str, fix: str) -> DeliveryFailed:
        return not_delivered(self.reference, reason, fix)


def _needed(standing: Standing) -> set[str]:
    """Return what writing takes: Vault asks `create` for a path never seen, `update` once it has metadata."""
    if standing.version == 0:
        return {"update" if standing.known else "create"}
    return {"patch", "update"} if standing.ends else {"patch"}


def _check_address(address: str) -> None:
    url = _url(address)
    if url is None or contains_credential(address):
        raise _bad_setting("address", "is not an address")
    if url.username or url.password or url.query or url.fragment or url.path.strip("/"):
        raise _bad_setting("address", "holds more than scheme, host and port")
    if not url.hostname or not (url.scheme == "https" or (url.scheme == "http" and _is_loopback(url))):
        raise _bad_setting("address", "is not an https address (http is taken for this machine only)")


def _url(address: str) -> SplitResult | None:
    try:
        url = urlsplit(address)
        _ = url.port  # reading it checks it
    except ValueError:
        return None
    return url


def _is_loopback(url: SplitResult) -> bool:
    if url.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(url.hostname or "").is_loopback
    except ValueError:
        return False


def _bad_setting(field: str, what: str) -> InvalidInput:
    return InvalidInput(f"The {field} of the Vault sink {what}.", field=field, code="bad_setting")
