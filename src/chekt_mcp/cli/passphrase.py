"""Asking for the approver passphrase: a new one twice, a known one before anything changes."""

from __future__ import annotations

from chekt_mcp.cli.command import Command, Session
from chekt_mcp.domain.app import Environment
from chekt_mcp.domain.timespan import rfc3339
from chekt_mcp.domain.wording import counted
from chekt_mcp.errors import ChektError, InvalidInput, NotPermitted
from chekt_mcp.operations.approver import Attempt, PassphraseCheck, new_approver
from chekt_mcp.secrets import passphrase as passphrases
from chekt_mcp.storage.records import Approver

TRIES = 3
"""How often a person is asked again within one command."""

AT_A_TERMINAL = "Run it at a terminal, or give the passphrase as the first line of stdin with --passphrase-stdin."


def new_passphrase(command: Command, *, needed: bool) -> str | None:
    """Return a new passphrase: from standard input where that was asked for, else typed twice if it is `needed`.

    Raises:
        NotPermitted: code `passphrase_required`, when it is needed and nobody can be asked.
        InvalidInput: code `weak_passphrase` or `passphrases_differ`.
    """
    if _from_stdin(command):
        text = command.terminal.line()
        passphrases.check_new_passphrase(text)
        return text
    if not needed:
        return None
    if not command.terminal.interactive:
        raise NotPermitted(
            "A live app needs an approver passphrase, and there is no terminal to ask for one.",
            code="passphrase_required",
            fix=AT_A_TERMINAL,
        )
    return _typed_twice(command)


def first_approver(session: Session, dealer: str, text: str | None) -> Approver | None:
    """Hash a dealer's first passphrase, if there is one to set."""
    return new_approver(session.services, passphrases, dealer, text) if text is not None else None


async def approver_for(session: Session, dealer: str, app: str, environment: Environment) -> Approver | None:
    """Ask for the dealer's passphrase before an app is added, or for its first one where the app is live.

    Raises:
        NotPermitted: see `authorise` and `new_passphrase`.
    """
    if await authorise(session, dealer, app):
        return None
    return first_approver(session, dealer, new_passphrase(session.command, needed=environment is Environment.LIVE))


async def authorise(session: Session, dealer: str, app: str | None) -> bool:
    """Ask for the dealer's passphrase and pass when it is right; tell whether there is one at all.

    `app` is the one the command is about, so that refusals show in its log.

    Raises:
        NotPermitted: code `passphrase_required`, `wrong_passphrase` or `passphrase_locked`.
    """
    command = session.command
    if await session.services.storage.read(lambda reader: reader.approver(dealer)) is None:
        return False
    check = PassphraseCheck(session.services, passphrases, session.operator, dealer, app)
    if _from_stdin(command):
        _pass_or_refuse(await check.attempt(command.terminal.line()))
    elif command.terminal.interactive:
        await _ask(session, check)
    else:
        raise NotPermitted("This needs the approver passphrase.", code="passphrase_required", fix=AT_A_TERMINAL)
    return True


async def require_passphrase_if_live(session: Session, dealer: str, app: str) -> None:
    """Pass unless it is a live app of a dealer without a passphrase.

    Raises:
        NotPermitted: code `no_passphrase`.
    """
    known = await session.services.storage.read(lambda reader: reader.app(dealer, app))
    approver = await session.services.storage.read(lambda reader: reader.approver(dealer))
    if approver is None and (known is None or known.environment is Environment.LIVE):
        raise NotPermitted(
            "Changes of a live app are approved with a passphrase, and this dealer has none.", code="no_passphrase"
        )


async def _ask(session: Session, check: PassphraseCheck) -> None:
    for left in reversed(range(TRIES)):
        tried = await check.attempt(session.terminal.ask_hidden("Approver passphrase: "))
        if tried.right or tried.locked_until is not None or left == 0:
            _pass_or_refuse(tried)
            return
        session.terminal.note(f"That is not it. {counted(tried.left, 'attempt', 'attempts')} left.")


def _pass_or_refuse(tried: Attempt) -> None:
    if tried.right:
        return
    if tried.locked_until is not None:
        raise NotPermitted(
            f"The approver passphrase is locked until {rfc3339(tried.locked_until)}, after too many wrong attempts.",
            code="passphrase_locked",
            fix="If these were not yours, look for `approver.passphrase.refuse` in the audit log.",
        )
    raise NotPermitted(
        f"That is not the approver passphrase; {counted(tried.left, 'attempt', 'attempts')} left.",
        code="wrong_passphrase",
        fix="Nothing was changed.",
    )


def _typed_twice(command: Command) -> str:
    terminal = command.terminal
    terminal.say("A live app's changes are approved with a passphrase that only approvers know, never the assistant.")
    for left in reversed(range(TRIES)):
        try:
            return _typed_once_more(command, _typed(command))
        except ChektError as error:
            if left == 0 or error.code not in {"weak_passphrase", "passphrases_differ"}:
                raise
            terminal.note(str(error))
    raise AssertionError  # the last try returns or raises


def _typed(command: Command) -> str:
    text = command.terminal.ask_hidden("New approver passphrase (12 characters or more): ")
    passphrases.check_new_passphrase(text)
    return text


def _typed_once_more(command: Command, text: str) -> str:
    if command.terminal.ask_hidden("The same again: ") != text:
        raise InvalidInput("The two are not the same.", field="passphrase", code="passphrases_differ")
    return text


def _from_stdin(command: Command) -> bool:
    return bool(getattr(command.args, "passphrase_stdin", False))
