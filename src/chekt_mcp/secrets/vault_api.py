"""The questions the Vault sink asks. Nothing follows a redirect, for the token would go along; no proxy is used."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from chekt_mcp.secrets.interface import not_delivered
from chekt_mcp.secrets.vault_refusals import NOT_VERSION_2, UNTRUSTED, refused, unanswered, write_refused

if TYPE_CHECKING:
    import httpx

ALL_CAPABILITIES = frozenset({"create", "update", "patch"})
CONTENT_TYPES = {"PATCH": "application/merge-patch+json"}


@dataclass(frozen=True, slots=True)
class Secret:
    """The secret of a sink: its engine, its path in it, and its name for people."""

    mount: str
    path: str
    reference: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What metadata says: is the path known, its current version (0: none), and was that deleted, or will it be."""

    known: bool
    version: int
    ends: bool


@dataclass(frozen=True, slots=True)
class VaultApi:
    """One connection to Vault, for one secret. Every method raises `DeliveryFailed`."""

    http: httpx.AsyncClient
    secret: Secret
    seconds: float

    async def check_engine(self) -> None:
        """Refuse anything but KV version 2: version 1 would take a write and put it under another path."""
        answer = await self._ask("GET", f"sys/internal/ui/mounts/{quote(self.secret.mount)}")
        mount = _dict(answer.get("data"))
        if mount.get("type") != "kv" or _dict(mount.get("options")).get("version") != "2":
            raise not_delivered(self.secret.reference, *NOT_VERSION_2)

    async def capabilities(self) -> frozenset[str]:
        """Return what the token may do on the data path; a root token may do everything."""
        path = f"{self.secret.mount}/data/{self.secret.path}"
        answer = await self._ask("POST", "sys/capabilities-self", {"paths": [path]})
        held = answer.get(path)
        found = frozenset(word for word in held if isinstance(word, str)) if isinstance(held, list) else frozenset()
        return ALL_CAPABILITIES if "root" in found else found

    async def standing(self) -> Standing:
        """Return how the secret stands, by its metadata."""
        status, answer = await self._send("GET", self._path("metadata"))
        if status == HTTPStatus.NOT_FOUND:
            return Standing(known=False, version=0, ends=False)
        if status != HTTPStatus.OK:
            raise refused(self.secret.reference, status)
        metadata = _dict(answer.get("data"))
        version = metadata.get("current_version")
        if not isinstance(version, int):
            raise not_delivered(self.secret.reference, *NOT_VERSION_2)
        current = _dict(_dict(metadata.get("versions")).get(str(version)))
        ends = bool(current.get("deletion_time") or current.get("destroyed"))
        return Standing(known=True, version=version, ends=ends)

    async def patch(self, field: str, value: str, version: int | None) -> bool:
        """Set one field of the current version and keep the others; False when that version was deleted."""
        return await self._write("PATCH", field, value, version)

    async def create(self, field: str, value: str, version: int | None) -> None:
        """Write a version that has this field only."""
        if not await self._write("POST", field, value, version):
            raise refused(self.secret.reference, HTTPStatus.NOT_FOUND)

    async def _write(self, method: str, field: str, value: str, version: int | None) -> bool:
        options = {} if version is None else {"options": {"cas": version}}
        status, answer = await self._send(method, self._path("data"), {"data": {field: value}, **options}, writes=True)
        if status == HTTPStatus.OK and isinstance(_dict(answer.get("data")).get("version"), int):
            return True
        if status == HTTPStatus.NOT_FOUND:
            return False
        raise write_refused(self.secret.reference, status, answer)

    async def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        status, answer = await self._send(method, path, body)
        if status != HTTPStatus.OK:
            raise refused(self.secret.reference, status)
        return answer

    async def _send(
        self, method: str, path: str, body: Mapping[str, object] | None = None, *, writes: bool = False
    ) -> tuple[int, dict[str, Any]]:
        response = await self._response(method, path, None if body is None else json.dumps(body).encode())
        if isinstance(response, str):
            raise unanswered(self.secret.reference, response, writes=writes)
        return response.status_code, _json(response.content)

    async def _response(self, method: str, path: str, content: bytes | None) -> httpx.Response | str:
        """Return the answer, or the name of what went wrong: the exception itself holds the request, key and all."""
        import httpx  # noqa: PLC0415 -- start-up is measured, and few servers deliver to Vault

        headers = {"Content-Type": CONTENT_TYPES.get(method, "application/json")}
        try:
            async with asyncio.timeout(self.seconds):
                return await self.http.request(method, f"/v1/{path}", content=content, headers=headers)
        except (httpx.HTTPError, TimeoutError) as error:
            return UNTRUSTED if "CERTIFICATE_VERIFY_FAILED" in str(error) else type(error).__name__

    def _path(self, kind: str) -> str:
        return f"{quote(self.secret.mount)}/{kind}/{quote(self.secret.path)}"


@asynccontextmanager
async def open_api(
    secret: Secret, address: str, headers: Mapping[str, str], *, ca_file: Path | None, seconds: float
) -> AsyncIterator[VaultApi]:
    """Connect with the token in `headers`; TLS is verified against `ca_file`, or the system's authorities.

    Raises:
        DeliveryFailed: `ca_file` cannot be read.
    """
    import httpx  # noqa: PLC0415 -- as above: 117 ms

    try:
        trust = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        reason = "the certificate of Vault's authority cannot be read"
        raise not_delivered(secret.reference, reason, "Correct ca_file.") from error
    async with httpx.AsyncClient(
        base_url=address, headers=dict(headers), verify=trust, timeout=seconds, trust_env=False, follow_redirects=False
    ) as http:
        yield VaultApi(http, secret, seconds)


def _json(content: bytes) -> dict[str, Any]:
    # Returned, not raised: the error would carry the text with it.
    try:
        return _dict(json.loads(content))
    except ValueError:
        return {}


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
