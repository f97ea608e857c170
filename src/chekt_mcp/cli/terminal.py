"""The person at the terminal, or the program behind the pipe: what they are told, and what they answer."""

from __future__ import annotations

import os
import sys

from chekt_mcp.errors import InvalidInput, NotPermitted, Unavailable

LINE_LIMIT = 4_096
"""Bytes of one answer: what a terminal takes in one line, and far more than any key or passphrase."""


class Terminal:
    """Standard input and output. `interactive` tells whether a person sits at both ends."""

    def __init__(self) -> None:
        self.interactive = _is_terminal(0) and _is_terminal(1)

    def say(self, text: str = "") -> None:
        """Print for whoever reads the result.

        Raises:
            Unavailable: code `output_failed`: the disk is full, say.
        """
        try:
            print(text, file=sys.stdout, flush=True)  # noqa: T201 -- talking to a person is this class's work
        except BrokenPipeError:
            raise
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise Unavailable(f"The output could not be written: {why}.", code="output_failed") from None

    def note(self, text: str) -> None:
        """Print beside the result: advice and troubles."""
        print(text, file=sys.stderr, flush=True)  # noqa: T201 -- as above

    def ask(self, question: str) -> str:
        """Ask a person and return what was typed, exactly; the line end alone is left out."""
        sys.stdout.write(question)
        sys.stdout.flush()
        return self.line()

    def ask_hidden(self, question: str) -> str:
        """Ask a person for a secret without showing it.

        Raises:
            NotPermitted: code `no_hidden_input`: rather no answer than one on the screen.
            InvalidInput: code `no_answer`.
        """
        answer = _hidden(question)
        if answer is None:
            raise InvalidInput("There was no answer.", code="no_answer", fix="Nothing was changed.")
        return answer

    def line(self) -> str:
        """Return the next line of standard input without its end.

        Raises:
            InvalidInput: code `no_answer` at the end of input, `input_too_long`, or `input_not_text`.
        """
        raw = sys.stdin.buffer.readline(LINE_LIMIT + 1) if sys.stdin is not None else b""
        if not raw:
            raise InvalidInput("The input ended before the answer.", code="no_answer", fix="Nothing was changed.")
        if len(raw) > LINE_LIMIT:
            raise InvalidInput("A line of the input is longer than 4 KiB.", code="input_too_long")
        return decoded(raw).removesuffix("\n").removesuffix("\r")

    def rest(self, limit: int) -> str:
        """Return what is left of standard input.

        Raises:
            InvalidInput: code `input_too_long` beyond `limit` bytes, or `input_not_text`.
        """
        raw = sys.stdin.buffer.read(limit + 1) if sys.stdin is not None else b""
        if len(raw) > limit:
            raise InvalidInput(f"The input is longer than {limit:,} bytes.", code="input_too_long")
        return decoded(raw)


def decoded(raw: bytes) -> str:
    """Read bytes as UTF-8 text.

    Raises:
        InvalidInput: code `input_not_text`.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        pass  # not raised from here: a decoding error carries the input with it
    raise InvalidInput("The input is not UTF-8 text.", code="input_not_text")


def _hidden(question: str) -> str | None:
    import getpass  # noqa: PLC0415 -- few commands ask for a secret
    import warnings  # noqa: PLC0415 -- as above

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            return getpass.getpass(question)
    except getpass.GetPassWarning:
        raise NotPermitted("This terminal cannot hide what is typed.", code="no_hidden_input") from None
    except (EOFError, UnicodeDecodeError):
        return None


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
