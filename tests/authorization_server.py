"""A real authorization server for tests: Authlib's, over Flask, in a process of its own, with TLS on loopback.

Grants: client credentials, authorization code with PKCE. Tokens: JWT (RFC 9068), or opaque ones with introspection
(RFC 7662) and revocation (RFC 7009). It publishes metadata (RFC 8414) and its keys, and rotates them when told to.
Run as `authorization_server.py CERTIFICATE KEY`; it prints its issuer, and ends when its standard input does.
"""

# ruff: noqa: ARG002 -- the methods are Authlib's, which calls them so

from __future__ import annotations

import os
import secrets
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer  # type: ignore[import-untyped]  # it has no types
from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin, grants  # type: ignore[import-untyped]
from authlib.oauth2.rfc7009 import RevocationEndpoint  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import CodeChallenge  # type: ignore[import-untyped]
from authlib.oauth2.rfc7662 import IntrospectionEndpoint  # type: ignore[import-untyped]
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator  # type: ignore[import-untyped]
from flask import Flask, Response, request
from joserfc.jwk import ECKey, KeyParameters, KeySet, RSAKey
from werkzeug.serving import make_server

SCOPES = "keys:read operators:read allowlist:read allowlist:write"
USER = "kim"


@dataclass
class Client(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    """A registered client; `extra` stands in its tokens."""

    client_id: str
    secret: str = ""
    opaque: bool = False
    redirect_uri: str = ""
    lasting: int = 3600
    extra: dict[str, object] = field(default_factory=dict)

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_allowed_scope(self, scope: str | None) -> str:
        return " ".join(one for one in (scope or SCOPES).split() if one in SCOPES.split())

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return bool(self.redirect_uri) and redirect_uri.endswith(self.redirect_uri)

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(self.secret, client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return (method != "none") == bool(self.secret) or endpoint != "token"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == ("client_credentials" if self.secret else "authorization_code")


@dataclass
class User:
    """Somebody who signs in."""

    name: str

    def get_user_id(self) -> str:
        return self.name


@dataclass
class Issued(TokenMixin):  # type: ignore[misc]  # as above
    """A token that was given out, or a code that one is given out for."""

    client: Client
    user: User | None
    scope: str
    resource: str
    expires_in: int = 3600
    issued_at: int = field(default_factory=lambda: int(time.time()))
    revoked: bool = False
    redirect_uri: str = ""
    code_challenge: str = ""
    code_challenge_method: str = ""

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def check_client(self, client: Client) -> bool:
        return bool(self.client == client)

    def is_expired(self) -> bool:
        return self.issued_at + self.expires_in < time.time()

    def is_revoked(self) -> bool:
        return self.revoked

    def get_client(self) -> Client:
        return self.client

    def get_user(self) -> User | None:
        return self.user


GRANT: dict[str, object] = {"chekt_dealer": "acme", "chekt_apps": ["shop"]}
CLIENTS = {
    client.client_id: client
    for client in (
        Client("runbook", "EXAMPLE-runbook", extra=GRANT),
        Client("opaque", "EXAMPLE-opaque", opaque=True, extra=GRANT),
        Client("assistant", redirect_uri="http://127.0.0.1:1/callback", extra=GRANT),
        Client("approvers", redirect_uri="/approvals/sign-in/callback", extra={**GRANT, "chekt_approver": True}),
        Client("visitors", redirect_uri="/approvals/sign-in/callback", extra=GRANT),
        Client("pages", "EXAMPLE-pages", extra={**GRANT, "chekt_approver": True}),
        Client("almost", "EXAMPLE-almost", extra={**GRANT, "chekt_approver": "true"}),
        Client("both", "EXAMPLE-both", extra={**GRANT, "chekt_apps": "kiosk shop"}),
        Client("forever", "EXAMPLE-forever", extra=GRANT, lasting=10 * 24 * 3600),
        Client("resource-server", "EXAMPLE-resource-server"),
    )
}
CODES: dict[str, Issued] = {}
TOKENS: dict[str, Issued] = {}
KEYS: list[RSAKey | ECKey] = []
ISSUER: list[str] = []


def rotate(algorithm: str) -> None:
    """Sign with a new key from now on; the older ones stay published."""
    named: KeyParameters = {"kid": secrets.token_hex(8), "use": "sig", "alg": algorithm}
    KEYS.append(RSAKey.generate_key(2048, named) if algorithm == "RS256" else ECKey.generate_key("P-256", named))


def claims_of(token: Issued) -> dict[str, object]:
    return {
        "iss": ISSUER[0],
        "sub": token.user.name if token.user else token.client.client_id,
        "client_id": token.client.client_id,
        "aud": token.resource,
        "iat": token.issued_at,
        "exp": token.issued_at + token.expires_in,
        "scope": token.scope,
        **token.client.extra,
    }


class Generator(JWTBearerTokenGenerator):  # type: ignore[misc]  # as above
    """Signs with the newest key, for the resource that was asked for (RFC 8707)."""

    def get_jwks(self) -> Any:
        self.alg = KEYS[-1].alg
        return KeySet([KEYS[-1]])

    def get_audiences(self, client: Client, user: User | None, scope: str) -> str:
        return request.form.get("resource", "nowhere")

    def get_extra_claims(self, client: Client, grant_type: str, user: User | None, scope: str) -> dict[str, object]:
        return client.extra

    def access_token_generator(self, client: Client, grant_type: str, user: User | None, scope: str) -> str:
        if client.opaque:
            return secrets.token_urlsafe(32)
        self.get_jwks()
        token: str = super().access_token_generator(client, grant_type, user, scope)
        return token


class ClientCredentials(grants.ClientCredentialsGrant):  # type: ignore[misc]  # as above
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")


class AuthorizationCode(grants.AuthorizationCodeGrant):  # type: ignore[misc]  # as above
    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def save_authorization_code(self, code: str, asked: Any) -> None:
        data = asked.payload.data
        CODES[code] = Issued(
            asked.client,
            asked.user,
            asked.payload.scope or SCOPES,
            data.get("resource", ""),
            redirect_uri=asked.payload.redirect_uri,
            code_challenge=data.get("code_challenge", ""),
            code_challenge_method=data.get("code_challenge_method", ""),
        )

    def query_authorization_code(self, code: str, client: Client) -> Issued | None:
        found = CODES.get(code)
        return found if found and found.check_client(client) else None

    def delete_authorization_code(self, authorization_code: Issued) -> None:
        for code in [code for code, one in CODES.items() if one is authorization_code]:
            del CODES[code]

    def authenticate_user(self, authorization_code: Issued) -> User | None:
        return authorization_code.user


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]  # as above
    CLIENT_AUTH_METHODS = ("client_secret_basic",)

    def query_token(self, token_string: str, token_type_hint: str | None) -> Issued | None:
        return TOKENS.get(token_string)

    def check_permission(self, token: Issued, client: Client, request: Any) -> bool:
        return client.client_id == "resource-server"

    def introspect_token(self, token: Issued) -> dict[str, object]:
        return {"active": True, **claims_of(token)}


class Revocation(RevocationEndpoint):  # type: ignore[misc]  # as above
    def query_token(self, token_string: str, token_type_hint: str | None) -> Issued | None:
        return TOKENS.get(token_string)

    def revoke_token(self, token: Issued, request: Any) -> None:
        token.revoked = True


def save_token(token: dict[str, Any], asked: Any) -> None:
    resource = request.form.get("resource", "nowhere")
    TOKENS[token["access_token"]] = Issued(asked.client, asked.user, token["scope"], resource, token["expires_in"])


def application() -> Flask:
    app = Flask(__name__)
    server = AuthorizationServer(app, CLIENTS.get, save_token)
    server.register_token_generator(
        "default", Generator(ISSUER[0], expires_generator=lambda client, _grant: client.lasting)
    )
    server.register_grant(ClientCredentials)
    server.register_grant(AuthorizationCode, [CodeChallenge(required=True)])
    server.register_endpoint(Introspection)
    server.register_endpoint(Revocation)

    @app.get("/.well-known/oauth-authorization-server")
    def metadata() -> dict[str, object]:
        return {
            "issuer": ISSUER[0],
            "authorization_endpoint": f"{ISSUER[0]}/authorize",
            "token_endpoint": f"{ISSUER[0]}/token",
            "jwks_uri": f"{ISSUER[0]}/jwks",
            "introspection_endpoint": f"{ISSUER[0]}/introspect",
            "scopes_supported": SCOPES.split(),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        }

    @app.get("/jwks")
    def jwks() -> dict[str, object]:
        return {"keys": [key.as_dict(private=False) for key in KEYS]}

    @app.get("/authorize")
    def authorize() -> Response:
        grant = server.get_consent_grant(end_user=User(USER))
        response: Response = server.create_authorization_response(grant=grant, grant_user=User(USER))
        return response

    @app.post("/token")
    def token() -> Response:
        response: Response = server.create_token_response()
        return response

    @app.post("/introspect")
    def introspect() -> Response:
        response: Response = server.create_endpoint_response("introspection")
        return response

    @app.post("/revoke")
    def revoke() -> Response:
        response: Response = server.create_endpoint_response("revocation")
        return response

    @app.post("/told/rotate/<algorithm>")
    def told_to_rotate(algorithm: str) -> str:
        rotate(algorithm)
        return ""

    @app.post("/told/withdraw")
    def told_to_withdraw() -> str:
        del KEYS[:-1]
        return ""

    return app


def main() -> None:
    """Serve until standard input ends."""
    ISSUER.append("https://127.0.0.1:0")
    served = make_server("127.0.0.1", 0, Flask("placeholder"), ssl_context=(sys.argv[1], sys.argv[2]), threaded=True)
    ISSUER[0] = f"https://127.0.0.1:{served.server_port}"
    rotate("RS256")
    served.app = application()
    threading.Thread(target=served.serve_forever, daemon=True).start()
    print(ISSUER[0], flush=True)  # noqa: T201 -- told to the test that started it
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
