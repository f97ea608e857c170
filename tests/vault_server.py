"""A Vault for tests: KV version 2 (and 1) over HTTP or TLS, with Vault's status codes, policies and check-and-set.

Written from the API documentation and from what the plugin's own tests expect; it stores nothing outside memory.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answer = tuple[int, dict[str, Any] | None]
CAS_MISMATCH: Answer = (400, {"errors": ["check-and-set parameter did not match the current version"]})
CAS_REQUIRED: Answer = (400, {"errors": ["check-and-set parameter required for this call"]})
DENIED: Answer = (403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]})
SEALED: Answer = (503, {"errors": ["Vault is sealed"]})
NEVER = "0001-01-01T00:00:00Z"


@dataclass
class Version:
    data: dict[str, str]
    deleted: bool = False
    destroyed: bool = False

    @property
    def gone(self) -> bool:
        return self.deleted or self.destroyed

    def metadata(self, number: int) -> dict[str, Any]:
        return {"version": number, **self.standing(), "custom_metadata": None}

    def standing(self) -> dict[str, Any]:
        deletion_time = "2024-01-02T00:00:00Z" if self.deleted else ""
        return {"created_time": "2024-01-01T00:00:00Z", "deletion_time": deletion_time, "destroyed": self.destroyed}


@dataclass
class Mount:
    """An engine: its KV version, its secrets by path, and whether every write must name a version."""

    version: str = "2"
    cas_required: bool = False
    kind: str = "kv"
    secrets: dict[str, list[Version]] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    content: bytes

    @property
    def token(self) -> str:
        return self.headers.get("x-vault-token", "")

    @property
    def namespace(self) -> str:
        return self.headers.get("x-vault-namespace", "")


@dataclass
class Vault:
    """State of one server. `policies`: token → namespace and rules (path, or prefix with `*`, → capabilities)."""

    policies: dict[str, tuple[str, dict[str, set[str]]]] = field(default_factory=dict)
    mounts: dict[tuple[str, str], Mount] = field(default_factory=dict)
    sealed: bool = False
    forced: dict[str, int] = field(default_factory=dict)
    """Method → status that answers every request of that method."""
    lost: set[str] = field(default_factory=set)
    """Methods whose requests are carried out, but whose answer never comes."""
    silent: set[str] = field(default_factory=set)
    """Methods that are never answered and never carried out, on an open connection."""
    before_write: Callable[[], object] = lambda: None
    """Called before a write is looked at: another writer's chance."""
    requests: list[Request] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def answer(self, request: Request) -> Answer:
        if request.method in self.forced:
            return self.forced[request.method], {"errors": [f"forced; you sent {request.content.decode()}"]}
        if self.sealed:
            return SEALED
        if request.token not in self.policies or self.policies[request.token][0] != request.namespace:
            return DENIED
        rules = self.policies[request.token][1]
        if request.path == "sys/capabilities-self":
            return _capabilities(rules, json.loads(request.content)["paths"])
        if request.path.startswith("sys/internal/ui/mounts/"):
            return self._mount_info(request, rules)
        return self._engine(request, held(rules, request.path))

    def _engine(self, request: Request, allowed: set[str]) -> Answer:
        for (namespace, name), mount in self.mounts.items():
            if namespace == request.namespace and request.path.startswith(f"{name}/"):
                kind, _, rest = request.path.removeprefix(f"{name}/").partition("/")
                if mount.version == "1":
                    return _version_1(mount, allowed, request, f"{kind}/{rest}")
                return self._version_2(mount, allowed, request, kind, rest)
        if "root" not in allowed:
            return DENIED
        return 404, {"errors": [f'no handler for route "{request.path}". route entry not found.']}

    def _version_2(self, mount: Mount, allowed: set[str], request: Request, kind: str, name: str) -> Answer:
        versions = mount.secrets.get(name)
        if request.method == "GET" and kind == "metadata":
            return _metadata(versions) if allowed & {"root", "read"} else DENIED
        if kind != "data" or request.method == "GET":
            return 405, {"errors": ["unsupported operation"]}
        needed = {"PATCH": "patch", "POST": "create" if versions is None else "update"}[request.method]
        if not allowed & {"root", needed}:
            return DENIED
        if request.method == "PATCH" and request.headers.get("content-type") != "application/merge-patch+json":
            return 415, {"errors": ["PATCH requires Content-Type of application/merge-patch+json"]}
        self.before_write()
        return _write(mount, request.method, name, json.loads(request.content))

    def _mount_info(self, request: Request, rules: dict[str, set[str]]) -> Answer:
        name = request.path.removeprefix("sys/internal/ui/mounts/")
        mount = self.mounts.get((request.namespace, name))
        if mount is None or not any(rule.startswith((f"{name}/", "*")) for rule in rules):
            text = "preflight capability check returned 403, please ensure client's policies grant access to path"
            return 403, {"errors": [f'{text} "{name}/"']}
        options = {"version": mount.version} if mount.kind == "kv" else None
        return 200, {"data": {"type": mount.kind, "options": options, "path": f"{name}/"}}


def _capabilities(rules: dict[str, set[str]], paths: list[str]) -> Answer:
    found = {path: sorted(held(rules, path)) or ["deny"] for path in paths}
    return 200, {**found, "capabilities": found[paths[0]], "data": found}


def _version_1(mount: Mount, allowed: set[str], request: Request, path: str) -> Answer:
    if not allowed & {"root", "create", "update", "read"}:
        return DENIED
    if request.method == "GET":
        return (200, {"data": mount.secrets[path][-1].data}) if path in mount.secrets else (404, {"errors": []})
    if request.method == "PATCH":
        return 405, {"errors": ["unsupported operation"]}
    mount.secrets[path] = [Version(json.loads(request.content))]
    return 204, None


def held(rules: dict[str, set[str]], path: str) -> set[str]:
    for rule, capabilities in rules.items():
        if rule == path or (rule.endswith("*") and path.startswith(rule[:-1])):
            return capabilities
    return set()


def _metadata(versions: list[Version] | None) -> Answer:
    if versions is None:
        return 404, {"errors": []}
    numbered = {str(number): one.standing() for number, one in enumerate(versions, 1)}
    data = {"current_version": len(versions), "oldest_version": 0, "cas_required": False, "versions": numbered}
    return 200, {"data": {**data, "max_versions": 0, "delete_version_after": "0s", "custom_metadata": None}}


def _write(mount: Mount, method: str, name: str, body: dict[str, Any]) -> Answer:
    versions = mount.secrets.get(name)
    if method == "PATCH" and versions is None:
        return 404, {"errors": []}
    if "data" not in body:
        return 400, {"errors": ["no data provided"]}
    cas = body.get("options", {}).get("cas")
    if cas is None and mount.cas_required:
        return CAS_REQUIRED
    if cas is not None and cas != len(versions or []):
        return CAS_MISMATCH
    if method == "PATCH" and (not versions or versions[-1].gone):
        return 404, {"data": versions[-1].metadata(len(versions)) if versions else None}
    kept = versions[-1].data if method == "PATCH" and versions else {}
    made = mount.secrets.setdefault(name, [])
    made.append(Version({**kept, **body["data"]}))
    return 200, {"data": made[-1].metadata(len(made))}


def _handler(vault: Vault) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path.removeprefix("/v1/"), headers, content)
            vault.requests.append(request)
            if self.command in vault.silent:
                vault.released.wait(30)
                self.close_connection = True
                return
            status, body = vault.answer(request)
            if self.command in vault.lost:
                self.close_connection = True
                return
            self._send(status, body)

        def _send(self, status: int, body: dict[str, Any] | None) -> None:
            content = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if status == 307:
                self.send_header("Location", f"https://192.0.2.1:8200{self.path}")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = _serve  # noqa: N815 -- the names http.server looks for

        def log_message(self, *args: object) -> None:
            """Keep the test output quiet."""

    return Handler


class _Server(ThreadingHTTPServer):
    block_on_close = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up, or distrusts our certificate, is part of the tests."""


@contextmanager
def serving(vault: Vault, *, tls: tuple[Path, Path] | None = None) -> Iterator[str]:
    """Serve `vault` on a loopback port, with TLS where certificate and key are given; yield its address."""
    server = _Server(("127.0.0.1", 0), _handler(vault))
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        vault.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def make_authority(directory: Path) -> tuple[Path, tuple[Path, Path]]:
    """Make a throwaway authority and a certificate for 127.0.0.1; return its file, and certificate and key files."""
    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("chekt-mcp test authority", authority_key, authority_key, None)
    server = _certificate("127.0.0.1", server_key, authority_key, authority)
    files = (directory / "authority.pem", directory / "server.pem", directory / "server.key")
    files[0].write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(server.public_bytes(serialization.Encoding.PEM))
    files[2].write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files[0], (files[1], files[2])


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if issuer is None:
        # Python 3.13 checks strictly (RFC 5280): an authority must say that it signs certificates.
        builder = builder.add_extension(_signs_certificates(), critical=True)
    else:
        address = x509.IPAddress(ipaddress.ip_address(name))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _signs_certificates() -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    unused = dict.fromkeys((*names, "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(key_cert_sign=True, crl_sign=True, **unused)
