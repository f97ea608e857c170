"""The error tree: every exception that is ours, and nothing that is not.

    ChektError                 carries `code`, a sentence, and what to do
    ├── InvalidInput           the caller sent something we cannot take; names the field
    ├── NotPermitted           the caller may not do this; names the missing scope
    ├── NotFound               no such thing in the caller's dealer (foreign and unknown alike)
    ├── Conflict               the thing changed meanwhile, or was asked for differently before
    └── Unavailable            something we need cannot be read or written now: fail closed
        ├── StateUnusable      the state directory or database cannot be used as it is
        ├── SecretUnreadable   a sealed secret or the key-encryption key cannot be opened
        └── DeliveryFailed     a new key could not be handed to its sink; nothing has changed

Expected answers (allowed, denied, stale, approval required) are values, never exceptions.
The message is for a person: what happened, then what to do. It never holds what was sent.
"""

from __future__ import annotations


class ChektError(Exception):
    """Base of all our errors.

    Attributes:
        code: stable snake_case identifier that programs may rely on.
        message: one sentence for a person; ends with a full stop; never echoes input.
        fix: what to do about it, or "" where the message already says so.
    """

    default_code = "error"

    def __init__(self, message: str, *, code: str | None = None, fix: str = "") -> None:
        super().__init__(message)
        self.code = code or self.default_code
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        """Return the message, then the fix where there is one."""
        return f"{self.message} {self.fix}".strip()


class InvalidInput(ChektError):
    """The caller's argument cannot be taken. `field` is its name ("" for the whole input)."""

    default_code = "invalid_input"

    def __init__(self, message: str, *, field: str = "", code: str | None = None, fix: str = "") -> None:
        super().__init__(message, code=code, fix=fix)
        self.field = field


class NotPermitted(ChektError):
    """The caller may not do this. `missing_scope` names the scope that would open it, if one would."""

    default_code = "permission_denied"

    def __init__(
        self, message: str, *, missing_scope: str | None = None, code: str | None = None, fix: str = ""
    ) -> None:
        super().__init__(message, code=code, fix=fix)
        self.missing_scope = missing_scope


class NotFound(ChektError):
    """No such thing within the caller's dealer; a foreign one gets the very same answer."""

    default_code = "not_found"

    def __init__(self, message: str, *, field: str = "", code: str | None = None, fix: str = "") -> None:
        super().__init__(message, code=code, fix=fix)
        self.field = field


class Conflict(ChektError):
    """The thing changed meanwhile, or the same idempotency key came with other arguments."""

    default_code = "conflict"


class Unavailable(ChektError):
    """Something this answer depends on cannot be read or written now; refuse rather than guess."""

    default_code = "unavailable"


class StateUnusable(Unavailable):
    """The state directory or its database cannot be used; it was left untouched."""

    default_code = "state_unusable"


class SecretUnreadable(Unavailable):
    """A sealed secret or the key-encryption key cannot be opened."""

    default_code = "secret_unreadable"


class DeliveryFailed(Unavailable):
    """A new key could not be handed to its sink; the old one is still current."""

    default_code = "delivery_failed"
