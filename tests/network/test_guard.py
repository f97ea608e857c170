"""The guard asks once, looks at every address, and gives out all of them or none."""

from __future__ import annotations

import socket

import pytest

from chekt_mcp.network.guard import AddressGuard, Resolved, SystemResolver
from endpoint_servers import Resolver

pytestmark = pytest.mark.anyio

PUBLIC = ["93.184.215.14", "2606:2800:21f::1"]


async def test_public_addresses_are_given_out_in_the_resolvers_order() -> None:
    assert await AddressGuard(Resolver(PUBLIC)).check("hooks.example.com") == Resolved(tuple(PUBLIC))


BAD = (
    "127.0.0.1 10.0.0.1 ::1 169.254.169.254 100.64.0.1 ::ffff:93.184.215.14 64:ff9b::5db8:d70e 64:ff9b:1::a00:1 "
    "2002:5db8:d70e::1 2001::1 fd00::1 fe80::1%eth0 nonsense"
)


@pytest.mark.parametrize("bad", BAD.split())
async def test_one_address_that_is_not_public_keeps_all_back(bad: str) -> None:
    for answer in ([bad, *PUBLIC], [*PUBLIC, bad]):
        resolved = await AddressGuard(Resolver(answer)).check("hooks.example.com")
        assert resolved.addresses == ()
        assert len(resolved.refused) == 1


async def test_a_host_without_address_gives_nothing_and_refuses_nothing() -> None:
    assert await AddressGuard(Resolver([])).check("hooks.example.com") == Resolved()


async def test_a_host_is_asked_for_once() -> None:
    resolver = Resolver(PUBLIC, ["127.0.0.1"])
    await AddressGuard(resolver).check("hooks.example.com")
    assert resolver.asked == ["hooks.example.com"]


async def test_the_system_is_asked_for_the_whole_name_once_for_both_families(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    def answer(*question: object, **_: object) -> list[tuple[object, ...]]:
        asked.append(question)
        stream = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 0))
        return [stream, stream, (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2606:2800:21f::1", 0, 0, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    assert await SystemResolver()("hooks.example.com") == PUBLIC
    assert asked == [("hooks.example.com.", None)]


async def test_an_address_in_place_of_a_name_stays_as_it_is() -> None:
    assert await SystemResolver()("127.0.0.1") == ["127.0.0.1"]
    assert await SystemResolver()("::1") == ["::1"]


async def test_a_name_that_the_system_does_not_know_has_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert await SystemResolver()("hooks.example.com") == []
