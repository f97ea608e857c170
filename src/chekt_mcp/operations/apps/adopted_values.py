"""Values of an app that exists at CHeKT, as a person brings them: judged by their form, the only thing to judge by."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from chekt_mcp.domain import api_key
from chekt_mcp.domain.api_key import KeyKind
from chekt_mcp.domain.app import Authority, Environment
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.allow_list.first_allow_list import check_allow_list

KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

FORMS = {
    KeyKind.API_KEY: ("API key", "chekt_live_… or chekt_test_…"),
    KeyKind.SIGNING_SECRET: ("signing secret", "chekt_whsec_live_… or chekt_whsec_test_…"),
}


@dataclass(frozen=True, slots=True)
class AdoptedValues:
    """What was brought; None for what was not. `key_id` is CHeKT's own id of the API key, as its log names it."""

    api_key: str | None = field(default=None, repr=False)
    signing_secret: str | None = field(default=None, repr=False)
    allow_list: str | None = None
    key_id: str | None = None

    def environment(self) -> Environment | None:
        """Check every form and return the environment that key and secret agree on; None when neither was brought.

        Raises:
            InvalidInput: code `malformed_key`, `malformed_secret`, `bad_key_id`, `mixed_environments`, or a list's
                refusal.
        """
        if self.key_id is not None and (self.api_key is None or not KEY_ID.fullmatch(self.key_id)):
            raise InvalidInput("A key id names the API key that comes with it.", field="key_id", code="bad_key_id")
        if self.allow_list is not None:
            check_allow_list(self.allow_list, Authority.PLATFORM)
        found = {_environment(value, kind) for kind, value in self.credentials()}
        if len(found) > 1:
            raise InvalidInput(
                "The API key and the signing secret are not of the same environment: one is live, the other test.",
                field="signing_secret",
                code="mixed_environments",
                fix="Copy both from the same app.",
            )
        return found.pop() if found else None

    def id_of(self, kind: KeyKind) -> str | None:
        """Return CHeKT's own id for what was brought of this kind, if it was told."""
        return self.key_id if kind is KeyKind.API_KEY else None

    def credentials(self) -> list[tuple[KeyKind, str]]:
        """Return the key and the secret that were brought."""
        both = [(KeyKind.API_KEY, self.api_key), (KeyKind.SIGNING_SECRET, self.signing_secret)]
        return [(kind, value) for kind, value in both if value is not None]

    def advice(self) -> list[str]:
        """Say what cannot be known offline: a key without our checksum may be mistyped."""
        return [
            f"The {FORMS[kind][0]} {api_key.fingerprint(value)} has no checksum of ours, as is usual for one from "
            "CHeKT: a typing error would not show. Compare its last four characters with the portal."
            for kind, value in self.credentials()
            if not api_key.checksum_holds(value)
        ]


def _environment(value: str, kind: KeyKind) -> Environment:
    environment = api_key.environment_of(value, kind)
    if environment is None:
        name, form = FORMS[kind]
        raise InvalidInput(
            f"What was given as the {name} does not have the form of one.",
            field=kind.value,
            code="malformed_key" if kind is KeyKind.API_KEY else "malformed_secret",
            fix=f"It begins with {form}, then 32 or more letters and digits. Check for missing characters or quotes.",
        )
    return environment
