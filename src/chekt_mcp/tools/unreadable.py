"""Answers to lines that hold no message: the SDK drops them, and the client that sent one waits until it gives up.

It happens to honest clients: JavaScript writes half of a character that was cut in two (an emoji, say) as a lone
surrogate, `\ud83d`, which JSON allows and Unicode does not. JSON-RPC 2.0, section 5.1: code -32700.
"""

from __future__ import annotations

import json
from types import TracebackType
from typing import TYPE_CHECKING, Self

from anyio import EndOfStream
from mcp.shared.message import SessionMessage
from mcp_types import PARSE_ERROR, ErrorData, JSONRPCError
from pydantic import ValidationError

if TYPE_CHECKING:
    from mcp.shared._stream_protocols import ReadStream, WriteStream

UNREADABLE = (
    "unreadable_message: That is no JSON in valid Unicode, so nothing was done. Half of a character, such as a cut"
    " emoji, is the usual cause: send whole characters."
)


class AnsweringStream:
    """A stream of messages that answers, by `outgoing`, what could not be read, and hands on everything else."""

    def __init__(self, incoming: ReadStream[SessionMessage | Exception], outgoing: WriteStream[SessionMessage]) -> None:
        self._incoming = incoming
        self._outgoing = outgoing

    async def receive(self) -> SessionMessage | Exception:
        """Return the next message."""
        while True:
            item = await self._incoming.receive()
            line = _unreadable(item)
            if line is None:
                return item
            if line.strip():
                await self._outgoing.send(SessionMessage(_answer(line)))

    async def aclose(self) -> None:
        """Close the stream of messages."""
        await self._incoming.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        try:
            return await self.receive()
        except EndOfStream:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _unreadable(item: SessionMessage | Exception) -> str | None:
    """Return the line that is no JSON, if `item` tells of one."""
    if not isinstance(item, ValidationError):
        return None
    first = item.errors(include_url=False, include_context=False)[0]
    return str(first["input"]) if first["type"] == "json_invalid" else None


def _answer(line: str) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=_id(line), error=ErrorData(code=PARSE_ERROR, message=UNREADABLE))


def _id(line: str) -> int | str | None:
    """Find whose answer it is. Python reads lone surrogates; what it cannot read has no id, which JSON-RPC allows."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    given = message.get("id") if isinstance(message, dict) else None
    if isinstance(given, bool) or not isinstance(given, int | str):
        return None
    return given if str(given).isascii() else None
