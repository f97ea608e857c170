"""A person's yes to what cannot be undone: the approver passphrase where there is one, and the dealer's name, typed."""

from __future__ import annotations

from chekt_mcp.cli.command import Session
from chekt_mcp.cli.passphrase import authorise
from chekt_mcp.errors import InvalidInput, NotPermitted


async def confirmed(session: Session, dealer: str, purpose: str, otherwise: str) -> None:
    """Pass once a person has confirmed `purpose`; `otherwise` says what is then left as it is.

    A program that knows the passphrase may do it without a terminal: pruning every month is its business.

    Raises:
        NotPermitted: as `passphrase.authorise`, and `terminal_required` where there is neither passphrase nor person.
        InvalidInput: code `not_confirmed`.
    """
    authorised = await authorise(session, dealer, None)
    if session.terminal.interactive:
        if session.terminal.ask(f"Type the dealer's name ({dealer}) to {purpose}: ") != dealer:
            raise InvalidInput("That is not the dealer's name.", code="not_confirmed", fix=otherwise)
    elif not authorised:
        raise NotPermitted(
            "This needs a person at a terminal, or the approver passphrase; there is neither.",
            code="terminal_required",
            fix="Open a terminal of your own and run the same command there.",
        )
