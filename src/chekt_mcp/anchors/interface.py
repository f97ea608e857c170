"""What every anchor promises. Operations know this module and no anchor.

An anchor keeps checkpoints where the operating-system user of this server cannot change or remove them: that is what
makes it worth anything, and the operator's to see to.
"""

from __future__ import annotations

from typing import Protocol


class Anchor(Protocol):
    """An https endpoint or a command. `name` is how it is called in answers and in the log; it holds no secret."""

    @property
    def name(self) -> str:
        """The anchor's name."""
        ...

    async def keep(self, dealer: str, note: str) -> str:
        """Hand over a checkpoint of the dealer's log; return what the anchor said, cut to 2 KiB.

        Raises:
            Unavailable: code `anchor_failed`; it did not take the checkpoint, or nobody can tell.
        """
        ...

    async def newest(self, dealer: str) -> str | None:
        """Ask for the newest checkpoint it keeps of the dealer's log; None where it cannot be asked, or has none.

        Raises:
            Unavailable: code `anchor_failed`; it can be asked, and did not answer as it should.
        """
        ...
