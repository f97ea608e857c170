"""A file of the rows that an import did not take: JSON lines with line, code, field, message and an excerpt.

It is private to this user (0600), complete when it has its name, and never put in another file's place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from chekt_mcp.cli.audit.row_problem import SENTENCES
from chekt_mcp.errors import InvalidInput
from chekt_mcp.operations.audit.import_tally import Rejected
from chekt_mcp.operations.audit.log_file.row import RowProblem
from chekt_mcp.operations.audit.row_excerpt import Excerpts


@contextmanager
def rejects_file(path: Path | None) -> Iterator[Rejected | None]:
    """Yield what writes a rejected row; None without a path. The file is there when the work has ended well.

    Raises:
        InvalidInput: code `rejects_exist` or `rejects_unwritable`.
    """
    if path is None:
        yield None
        return
    if os.path.lexists(path):
        raise _exists()
    try:
        with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", suffix=".new", encoding="utf-8") as file:
            excerpts = Excerpts()

            def reject(problem: RowProblem) -> None:
                file.write(_line(problem, excerpts))

            yield reject
            file.flush()
            os.fsync(file.fileno())
            os.link(file.name, path)
    except FileExistsError:
        raise _exists() from None
    except OSError as error:
        raise InvalidInput(
            f"The file for rejected rows cannot be written: {os.strerror(error.errno or 0)}.",
            field="rejects",
            code="rejects_unwritable",
            fix="Name another one. Running the same import again writes it whole.",
        ) from error


def _line(problem: RowProblem, excerpts: Excerpts) -> str:
    fields = {
        "line": problem.line,
        "code": problem.code.value,
        "field": problem.field,
        "message": SENTENCES[problem.code],
        "excerpt": excerpts.of(problem.raw),
    }
    return json.dumps(fields) + "\n"


def _exists() -> InvalidInput:
    return InvalidInput(
        "There is a file of that name already, and it is not replaced.",
        field="rejects",
        code="rejects_exist",
        fix="Remove it, or name another one for the rejected rows.",
    )
