"""A new key that was lost, before a person's eyes: once, after they typed the app's name, in no cache and no log."""

from __future__ import annotations

from starlette.responses import Response

from chekt_mcp.domain.approver_session import ApproverSession
from chekt_mcp.domain.rotation import Rotation
from chekt_mcp.errors import NotFound
from chekt_mcp.http.pages.render import message, page
from chekt_mcp.http.pages.visitor import FORM_REFUSED, Visitor, signed_in
from chekt_mcp.http.refusal_log import RefusalLog
from chekt_mcp.operations.keys.reveal_key import reveal
from chekt_mcp.operations.services import Services


class Reveal:
    """The page that asks, and the page that shows."""

    def __init__(self, services: Services, refusals: RefusalLog) -> None:
        self._services, self._refusals = services, refusals

    async def ask(self, visitor: Visitor, session: ApproverSession, rotation_id: str) -> Response:
        """Say what is about to be shown, and ask for the app's name."""
        rotation = await self._rotation(session, rotation_id)
        return _question(visitor, session, rotation) if rotation else _gone(visitor)

    async def show(self, visitor: Visitor, session: ApproverSession, rotation_id: str) -> Response:
        """Show the key. Its copy is destroyed before the page is sent."""
        fields, rotation = await visitor.posted(), await self._rotation(session, rotation_id)
        if rotation is None:
            return _gone(visitor)
        if fields is None:
            await self._refusals.log(visitor.refused(FORM_REFUSED, "reveal", self._services.clock()))
        if fields is None or fields.get("app") != rotation.app:
            return _question(visitor, session, rotation, 403, "That is not the app's name. Nothing was shown.")
        try:
            value = await reveal(self._services, visitor.operator(session.principal), rotation)
        except NotFound:
            return _gone(visitor)
        shown = {"app": rotation.app, "kind": called(rotation), "value": value}
        return page("revealed.html", {"base": visitor.settings.base, **shown})

    async def _rotation(self, session: ApproverSession, rotation_id: str) -> Rotation | None:
        found = await self._services.storage.read(lambda reader: reader.rotation(session.dealer, rotation_id))
        return found if found is not None and found.revealable_at(self._services.clock()) else None


def called(rotation: Rotation) -> str:
    """Return what a person calls the kind of its key."""
    return rotation.kind.value.replace("_", " ")


def _question(
    visitor: Visitor, session: ApproverSession, rotation: Rotation, status: int = 200, problem: str = ""
) -> Response:
    described = {"id": rotation.rotation_id, "app": rotation.app, "kind": called(rotation)}
    return page("reveal.html", {**signed_in(visitor, session), "rotation": described, "problem": problem}, status)


def _gone(visitor: Visitor) -> Response:
    why = "It was shown, used, or is older than an hour; or the rotation never came into force."
    return message(410, "No copy of that key", f"{why} If it is lost, rotate again.", visitor.settings.base)
