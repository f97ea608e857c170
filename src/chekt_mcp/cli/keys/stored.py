"""Finding a stored rotation."""

from __future__ import annotations

from chekt_mcp.cli.arguments import Parser
from chekt_mcp.cli.command import Session
from chekt_mcp.domain.rotation import Rotation
from chekt_mcp.errors import NotFound
from chekt_mcp.storage.interface import Reader


def add_rotation_id(parser: Parser) -> None:
    """Add the argument that names a rotation."""
    parser.add_argument("rotation", metavar="ID", help="rot_…, as the assistant or `chekt-mcp doctor` names it")


async def named_rotation(session: Session) -> Rotation:
    """Return the rotation that the arguments name.

    Raises:
        NotFound: code `unknown_rotation`.
    """
    dealers, rotation_id = await session.dealers(), session.command.args.rotation

    async def work(reader: Reader) -> Rotation | None:
        every = [await reader.rotation(dealer, rotation_id) for dealer in dealers]
        return next((one for one in every if one is not None), None)

    found = await session.services.storage.read(work)
    if found is None:
        raise NotFound("There is no such rotation.", code="unknown_rotation", fix="`chekt-mcp doctor` names open ones.")
    return found
