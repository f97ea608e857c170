"""Allow lists ready to be asked: compiled once a version, whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # every start imports this module, and most starts ask no list
    from chekt_mcp.domain.allow_list import AddressMatcher
    from chekt_mcp.domain.allow_list.version import AllowListVersion


class CompiledLists:
    """Matchers by dealer, app and version, so that a list of 100,000 entries is compiled once.

    The version is read from storage at every call; only the compiled form of that very version is kept.
    """

    KEPT = 4_096
    ENTRIES_KEPT = 500_000
    """Entries of all lists kept; the one compiled longest ago goes first."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[int, bool, AddressMatcher, int]] = {}
        self._entries = 0

    def matcher(self, version: AllowListVersion) -> tuple[AddressMatcher, int]:
        """Return the matcher of `version` and its number of entries; a list that is off has none.

        Raises:
            Unavailable: the stored text does not parse; nothing is then allowed or denied.
        """
        place = (version.dealer, version.app)
        kept = self._kept.get(place)
        if kept and kept[:2] == (version.version, version.enabled):
            return kept[2], kept[3]
        matcher, entries = _compile(version)
        self._forget(place)
        while self._kept and (len(self._kept) >= self.KEPT or self._entries + entries > self.ENTRIES_KEPT):
            self._forget(next(iter(self._kept)))
        self._kept[place] = (version.version, version.enabled, matcher, entries)
        self._entries += entries
        return matcher, entries

    def _forget(self, place: tuple[str, str]) -> None:
        self._entries -= self._kept.pop(place, (0, False, None, 0))[3]


def _compile(version: AllowListVersion) -> tuple[AddressMatcher, int]:
    from chekt_mcp.domain.allow_list import AddressMatcher  # noqa: PLC0415 -- see above
    from chekt_mcp.operations.allow_list.stored_list import stored_entries  # noqa: PLC0415 -- see above

    entries = stored_entries(version) if version.enabled else ()
    return AddressMatcher(entries), len(entries)
