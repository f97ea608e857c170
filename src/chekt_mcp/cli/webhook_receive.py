"""`chekt-mcp webhook receive`: receive an app's deliveries on this machine, and hand each event on."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import shutil
from typing import TYPE_CHECKING

from chekt_mcp.cli.arguments import DONE, Parser, add_event_target
from chekt_mcp.cli.command import Command, Session, carry_out, opened
from chekt_mcp.domain.app import check_name
from chekt_mcp.domain.foreign_text import escaped
from chekt_mcp.domain.wording import counted
from chekt_mcp.errors import InvalidInput

if TYPE_CHECKING:
    import socket

    from chekt_mcp.hand_on.interface import Target

DEFAULT_PORT = 8789
WHERE = (
    "It answers on this machine only, over http. CHeKT delivers to https: let a TLS proxy or tunnel on this machine "
    "pass POST /webhooks/APP on with body and headers unchanged."
)


def configure(parser: Parser) -> None:
    """Describe the arguments."""
    parser.epilog = WHERE
    parser.add_argument("--app", metavar="NAME", required=True, help="app whose deliveries are received")
    parser.add_argument("--host", metavar="ADDRESS", default="127.0.0.1", help="loopback only (default: 127.0.0.1)")
    parser.add_argument(
        "--port", metavar="N", type=int, default=DEFAULT_PORT, help=f"0 takes a free one (default: {DEFAULT_PORT})"
    )
    add_event_target(parser, required=True)
    parser.add_argument("--retry-given-up", action="store_true", help="first let events that were given up begin anew")


def run(command: Command) -> int:
    """Receive until stopped."""
    carry_out(_receive(command))
    return DONE


async def _receive(command: Command) -> None:
    from chekt_mcp.cli.loopback import listen, serve  # noqa: PLC0415 -- brings the server
    from chekt_mcp.http.hand_on_worker import HandOnWorker  # noqa: PLC0415 -- as above
    from chekt_mcp.http.webhook_receiver import WebhookReceiver  # noqa: PLC0415 -- as above
    from chekt_mcp.logs import log_to_stderr  # noqa: PLC0415 -- as above
    from chekt_mcp.operations.audit.checkpoint_worker import CheckpointWorker  # noqa: PLC0415 -- as above

    name, target = check_name(command.args.app), target_of(command.args)
    async with opened(command) as session:
        dealer = await session.dealer()
        await check_app(session, dealer, name)
        with listen(command.args.host, command.args.port) as listener:
            log_to_stderr()
            await _begin(session, dealer, name, listener)
            worker = HandOnWorker(session.services, dealer, name, target)
            receiver = WebhookReceiver(session.services, dealer, apps=frozenset({name}), accepted=worker.wake)
            flushing = asyncio.create_task(receiver.keep_flushing())
            try:
                async with CheckpointWorker(lambda: session.services).beside():
                    await serve(receiver, listener, worker)
            finally:
                flushing.cancel()
                await target.close()
                await receiver.close()
        extent = await session.services.storage.read(lambda reader: reader.event_queue(dealer, name))
        session.terminal.note(
            f"Stopped. {counted(extent.waiting, 'event waits', 'events wait')} in the queue; {extent.dead:,} given up."
        )


async def check_app(session: Session, dealer: str, name: str) -> None:
    """Refuse an app whose deliveries nobody could verify: code `no_signing_secret`."""
    from chekt_mcp.operations.webhook.receiver_secrets import ReceiverSecrets  # noqa: PLC0415 -- brings the webhook rules

    if not (await ReceiverSecrets(session.services, dealer).of(name, session.services.clock())).known:
        raise InvalidInput(
            "This dealer has no app of that name with a live signing secret.",
            field="app",
            code="no_signing_secret",
            fix="`chekt-mcp app list` shows the apps; `chekt-mcp app add` or `app adopt` adds one.",
        )


async def _begin(session: Session, dealer: str, name: str, listener: socket.socket) -> None:
    """Log that events go elsewhere from now on, revive what was asked for, and say where to deliver."""
    args, now = session.command.args, session.services.clock()
    await log_receiving(session, dealer, name)
    if args.retry_given_up:
        revived = await session.services.storage.write(lambda writer: writer.revive_events(dealer, name, now))
        begin = counted(revived, "event that was given up begins", "events that were given up begin")
        session.terminal.note(f"{begin} anew.")
    given_up = (await session.services.storage.read(lambda reader: reader.event_queue(dealer, name))).dead
    if given_up:
        were = counted(given_up, "event was", "events were")
        session.terminal.note(f"note: {were} given up earlier; --retry-given-up begins anew with all.")
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    session.terminal.say(f"Receiving for {dealer}/{name} at http://{shown}:{port}/webhooks/{name}. Ctrl-C ends it.")


async def log_receiving(session: Session, dealer: str, name: str) -> None:
    """Write to the audit log that the app's events are handed on from now on, and to what."""
    kind, now = "command" if session.command.args.to_command else "url", session.services.clock()
    entry = session.operator.entry(dealer, "receive_webhooks", now, app=name, details={"hand_on_to": kind})
    await session.services.storage.write(lambda writer: writer.append([entry]))


def target_of(args: argparse.Namespace) -> Target:
    """Return where events go.

    Raises:
        InvalidInput: codes `out_of_range`, `bad_command`, `no_such_program`; or the URL is refused.
    """
    from chekt_mcp.hand_on.interface import LONGEST_SECONDS  # noqa: PLC0415 -- only this command hands anything on

    if not 1 <= args.time_limit <= LONGEST_SECONDS:
        raise InvalidInput(
            f"The time limit is 1 to {LONGEST_SECONDS} seconds.", field="time-limit", code="out_of_range"
        )
    if args.to_url is not None:
        from chekt_mcp.hand_on.url import url_target  # noqa: PLC0415 -- brings httpx

        return url_target(args.to_url, args.time_limit)
    from chekt_mcp.hand_on.command import CommandTarget  # noqa: PLC0415 -- as above
    from chekt_mcp.secrets.command import child_environment  # noqa: PLC0415 -- as above

    return CommandTarget(_argv(args.to_command), child_environment(), args.time_limit)


def _argv(text: str) -> tuple[str, ...]:
    try:
        argv = tuple(shlex.split(text))
    except ValueError:
        argv = ()
    if not argv:
        raise InvalidInput("The command is blank or cannot be read.", field="to-command", code="bad_command")
    if shutil.which(argv[0]) is None:
        raise InvalidInput(
            f"There is no program {escaped(argv[0], 80)}.",
            field="to-command",
            code="no_such_program",
            fix="Install it, or give its whole path.",
        )
    return argv
