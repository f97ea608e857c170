"""Apps, keys and allow lists that a reader has seen, for as long as none of them changes, in whatever process.

Every call asks for the same few. A number in the database goes up with each change of such a row, by triggers, in the
change's own transaction; it is read before each answer out of memory, on the snapshot at hand. So a change counts for
whoever begins to read after its commit, as without this; only the reading and parsing is spared.
"""

from __future__ import annotations

import sqlite3

from chekt_mcp.domain.allow_list.version import AllowListVersion
from chekt_mcp.domain.api_key import Key
from chekt_mcp.domain.app import App
from chekt_mcp.storage.sqlite.apps import AppReader
from chekt_mcp.storage.sqlite.keys import KeyReader

MOST_ROWS = 10_000
MOST_TEXT = 64 * 1024 * 1024
"""Characters of all lists kept."""


class RememberedSettings(AppReader, KeyReader):
    """Lookups, see `storage.interface.Reader`. Nothing is remembered of what is not there."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._known_changes = -1
        self._kept_up = False
        self._forget_settings()

    def begin(self) -> None:
        """Say that another snapshot begins."""
        self._kept_up = False

    async def app(self, dealer: str, name: str) -> App | None:
        """Return one app."""
        self._keep_up()
        found = self._known_apps.get((dealer, name)) or await super().app(dealer, name)
        if found is not None:
            self._known_apps[dealer, name] = found
        return found

    async def key_by_hash(self, value_hash: bytes) -> Key | None:
        """Return the API key with this SHA-256, of any dealer and in any state."""
        self._keep_up()
        found = self._known_keys.get(value_hash) or await super().key_by_hash(value_hash)
        if found is not None:
            self._known_keys[value_hash] = found
        return found

    async def allow_list(self, dealer: str, app: str) -> AllowListVersion | None:
        """Return the newest version."""
        self._keep_up()
        found = self._known_lists.get((dealer, app))
        if found is None and (found := await super().allow_list(dealer, app)) is not None:
            self._known_lists[dealer, app] = found
            self._known_text += len(found.text)
        return found

    def _keep_up(self) -> None:
        """Forget everything once anything has changed, or when it is too much; asked once for each snapshot."""
        if self._kept_up:
            return
        self._kept_up = True
        (changes,) = self._row("SELECT changes FROM settings_changes") or (-1,)
        full = (
            len(self._known_apps) + len(self._known_keys) + len(self._known_lists) > MOST_ROWS
            or self._known_text > MOST_TEXT
        )
        if changes != self._known_changes or full:
            self._known_changes = changes
            self._forget_settings()

    def _forget_settings(self) -> None:
        self._known_apps: dict[tuple[str, str], App] = {}
        self._known_keys: dict[bytes, Key] = {}
        self._known_lists: dict[tuple[str, str], AllowListVersion] = {}
        self._known_text = 0
