from __future__ import annotations

from dataclasses import replace

import pytest

import storage_samples as sample
from chekt_mcp.domain.app import ConfirmBy
from chekt_mcp.domain.rate_tier import RateTier
from chekt_mcp.domain.retention import Plan
from chekt_mcp.domain.scope import Scope
from chekt_mcp.errors import Conflict, NotFound
from chekt_mcp.storage.interface import Storage
from chekt_mcp.storage.records import Approver

pytestmark = pytest.mark.anyio


async def test_dealers_come_by_name(storage: Storage) -> None:
    await storage.write(lambda writer: writer.add_dealer(sample.dealer("aardvark")))
    assert list(await storage.read(lambda reader: reader.dealers())) == [
        sample.dealer("aardvark"),
        sample.dealer("acme"),
        sample.dealer("other"),
    ]


async def test_a_second_dealer_of_the_same_name_is_a_conflict(storage: Storage) -> None:
    with pytest.raises(Conflict):
        await storage.write(lambda writer: writer.add_dealer(sample.dealer()))


async def test_an_app_comes_back_as_it_was_stored(storage: Storage) -> None:
    assert await storage.read(lambda reader: reader.app("acme", "shop")) == sample.app()


async def test_another_dealers_app_is_not_seen(storage: Storage) -> None:
    await storage.write(lambda writer: writer.add_app(sample.app("only-acme")))
    assert await storage.read(lambda reader: reader.app("other", "only-acme")) is None


async def test_apps_come_by_name_and_of_one_dealer_only(storage: Storage) -> None:
    await storage.write(lambda writer: writer.add_app(sample.app("alarm")))
    apps = await storage.read(lambda reader: reader.apps("acme"))
    assert [app.name for app in apps] == ["alarm", "shop"]
    assert {app.dealer for app in apps} == {"acme"}


async def test_a_second_app_of_the_same_name_is_a_conflict_and_changes_nothing(storage: Storage) -> None:
    with pytest.raises(Conflict):
        await storage.write(lambda writer: writer.add_app(sample.app(scopes=frozenset())))
    assert await storage.read(lambda reader: reader.app("acme", "shop")) == sample.app()


async def test_an_app_of_an_unknown_dealer_is_refused(storage: Storage) -> None:
    with pytest.raises(NotFound):
        await storage.write(lambda writer: writer.add_app(sample.app(dealer="nobody")))


async def test_update_stores_what_can_be_changed_only(storage: Storage) -> None:
    settings = sample.app(scopes=frozenset({Scope.KEYS_WRITE}), covers=(), confirm=ConfirmBy.CLIENT)
    changed = replace(settings, rate=RateTier.FREE, own_key_over_http=True)
    await storage.write(
        lambda writer: writer.update_app(replace(changed, created_at=sample.NOW + sample.DAY), sample.NOW)
    )
    assert await storage.read(lambda reader: reader.app("acme", "shop")) == changed
    assert await storage.read(lambda reader: reader.app("other", "shop")) == sample.app(dealer="other")


async def test_updating_an_unknown_app_is_refused(storage: Storage) -> None:
    with pytest.raises(NotFound):
        await storage.write(lambda writer: writer.update_app(sample.app("nothing"), sample.NOW))


async def test_an_app_without_a_list_has_none(storage: Storage) -> None:
    assert await storage.read(lambda reader: reader.allow_list("acme", "shop")) is None


async def test_the_newest_version_of_a_list_is_the_one_in_force(storage: Storage) -> None:
    for version in (1, 2, 3):
        await storage.write(sample.work("add_allow_list", sample.allow_list(version, enabled=version != 3)))
    assert await storage.read(lambda reader: reader.allow_list("acme", "shop")) == sample.allow_list(3, enabled=False)
    assert await storage.read(lambda reader: reader.allow_list("other", "shop")) is None


async def test_history_comes_newest_first_and_limited(storage: Storage) -> None:
    for version in (1, 2, 3):
        await storage.write(sample.work("add_allow_list", sample.allow_list(version)))
    history = await storage.read(lambda reader: reader.allow_list_history("acme", "shop", 2))
    assert list(history) == [sample.allow_list(3), sample.allow_list(2)]


async def test_any_version_is_found_by_its_number_and_by_the_time_it_was_in_force(storage: Storage) -> None:
    for version in (1, 2, 3):
        await storage.write(sample.work("add_allow_list", sample.allow_list(version)))
    for number, found in ((2, sample.allow_list(2)), (0, None), (4, None)):
        assert await storage.read(sample.work("allow_list_version", "acme", "shop", number)) == found
    for moment, found in (
        (sample.NOW, None),
        (sample.NOW + sample.MINUTE, sample.allow_list(1)),
        (sample.NOW + 3 * sample.MINUTE - sample.TICK, sample.allow_list(2)),
        (sample.END, sample.allow_list(3)),
    ):
        assert await storage.read(sample.work("allow_list_at", "acme", "shop", moment)) == found
    assert await storage.read(sample.work("allow_list_version", "other", "shop", 1)) is None
    assert await storage.read(sample.work("allow_list_at", "other", "shop", sample.END)) is None


@pytest.mark.parametrize("version", [0, 1, 3])
async def test_a_version_that_does_not_follow_is_a_conflict(storage: Storage, version: int) -> None:
    await storage.write(lambda writer: writer.add_allow_list(sample.allow_list(1)))
    with pytest.raises(Conflict):
        await storage.write(lambda writer: writer.add_allow_list(sample.allow_list(version)))
    assert await storage.read(lambda reader: reader.allow_list("acme", "shop")) == sample.allow_list(1)


async def test_the_approver_is_replaced_by_the_next(storage: Storage) -> None:
    assert await storage.read(lambda reader: reader.approver("acme")) is None
    first, second = Approver("acme", b"salt", b"hash"), Approver("acme", b"salt", b"hash", 3, sample.NOW)
    for approver in (first, second):
        await storage.write(sample.work("set_approver", approver))
        assert await storage.read(lambda reader: reader.approver("acme")) == approver
    assert await storage.read(lambda reader: reader.approver("other")) is None


async def test_a_server_secret_is_made_once_and_kept(storage: Storage) -> None:
    assert await storage.read(lambda reader: reader.server_secret("cursor")) is None
    assert await storage.write(lambda writer: writer.make_server_secret("cursor", b"first")) == b"first"
    assert await storage.write(lambda writer: writer.make_server_secret("cursor", b"second")) == b"first"
    assert await storage.read(lambda reader: reader.server_secret("cursor")) == b"first"


async def test_text_with_a_lone_surrogate_is_stored_and_found(storage: Storage) -> None:
    strange = sample.allow_list(reason="why \udc80 \0 not")
    await storage.write(lambda writer: writer.add_allow_list(strange))
    kept = await storage.read(lambda reader: reader.allow_list("acme", "shop"))
    assert kept is not None
    assert "why" in kept.reason
    assert await storage.read(lambda reader: reader.app("acme", "\udc80")) is None


async def test_a_dealers_plan_is_standard_until_it_is_set(storage: Storage) -> None:
    await storage.write(lambda writer: writer.set_plan("acme", Plan.ENTERPRISE))
    plans = {one.name: one.plan for one in await storage.read(lambda reader: reader.dealers())}
    assert plans == {"acme": Plan.ENTERPRISE, "other": Plan.STANDARD}
