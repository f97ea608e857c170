from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.allow_list import ClientAddress, ClientAddressRefused, ForwardingHeader, client_address
from chekt_mcp.errors import InvalidInput

PROXIES = ("10.0.0.0/8", "2001:db8:ffff::/48")
PROXY = "10.0.0.2"
CLIENT = "198.51.100.9"


def found(header: ForwardingHeader | None, *values: str, peer: str = PROXY) -> ClientAddress | ClientAddressRefused:
    return client_address(peer, PROXIES, header, values)


def address(header: ForwardingHeader | None, *values: str, peer: str = PROXY) -> str | None:
    client = found(header, *values, peer=peer)
    return client.address if isinstance(client, ClientAddress) else None


def test_no_proxy_is_trusted_by_default() -> None:
    assert client_address(PROXY, (), "X-Forwarded-For", [CLIENT]) == ClientAddress(PROXY, 0)


def test_without_a_configured_header_the_peer_is_the_client() -> None:
    assert found(None, CLIENT) == ClientAddress(PROXY, 0)


def test_a_peer_that_is_no_proxy_cannot_name_another_client() -> None:
    assert address("X-Forwarded-For", CLIENT, peer="203.0.113.1") == "203.0.113.1"
    assert address("X-Forwarded-For", "garbage", peer="203.0.113.1") == "203.0.113.1"


def test_a_mapped_peer_is_the_ipv4_proxy() -> None:
    assert address("X-Forwarded-For", CLIENT, peer="::ffff:10.0.0.2") == CLIENT


@pytest.mark.parametrize("peer", ["", "testclient", "fe80::1%eth0", "/run/app.sock"])
def test_a_peer_without_address_is_refused(peer: str) -> None:
    refused = found("X-Forwarded-For", CLIENT, peer=peer)

    assert isinstance(refused, ClientAddressRefused)
    assert (refused.code, refused.hop, refused.text) == ("bad_peer", 0, peer)


@pytest.mark.parametrize(
    ("values", "client", "hop"),
    [
        ([CLIENT], CLIENT, 1),
        (["203.0.113.7, 198.51.100.9 , 10.1.1.1"], CLIENT, 2),
        (["203.0.113.7", CLIENT, "10.1.1.1\t"], CLIENT, 2),
        (["10.3.3.3,10.1.1.1"], "10.3.3.3", 2),
        (["2001:DB8::7"], "2001:db8::7", 1),
        (["::ffff:198.51.100.9"], CLIENT, 1),
        (["198.51.100.9:4711"], CLIENT, 1),
        (["[2001:db8::7]:4711"], "2001:db8::7", 1),
        (["[2001:db8::7]"], "2001:db8::7", 1),
        (["203.0.113.7, 2001:db8:ffff::1"], "203.0.113.7", 2),
    ],
)
def test_x_forwarded_for_is_read_from_the_right_to_the_first_untrusted_hop(
    values: list[str], client: str, hop: int
) -> None:
    assert found("X-Forwarded-For", *values) == ClientAddress(client, hop)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "unknown",
        "_hidden",
        "198.51.100.9,",
        "198.51.100.9, ,10.1.1.1",
        "198.51.100.9, unknown, 10.1.1.1",
        "198.51.100.09",
        "198.51.100.9:",
        "198.51.100.9:http",
        "198.51.100.9:123456",
        "[198.51.100.9]",
        "[2001:db8::7",
        "2001:db8::7]:80",
        '"198.51.100.9"',
        "fe80::1%eth0",
        "198.51.100.0/24",
        "for=198.51.100.9",
        "198.51.100.9\0",
        "１９８.51.100.9",  # noqa: RUF001 -- digits that only look like ours
    ],
)
def test_an_unreadable_hop_of_x_forwarded_for_is_refused_not_skipped(value: str) -> None:
    refused = found("X-Forwarded-For", value)

    assert isinstance(refused, ClientAddressRefused)
    assert refused.code == "bad_forwarded_for"
    assert refused.text.isprintable()


def test_refusal_tells_which_hop_and_quotes_it_escaped_and_cut() -> None:
    refused = found("X-Forwarded-For", CLIENT + ",\u202e" + "x" * 99 + ", 10.1.1.1")

    assert isinstance(refused, ClientAddressRefused)
    assert refused.hop == 2
    assert refused.text.startswith("\\u{202e}xx")
    assert len(refused.text) <= 60
    assert "xx" not in refused.message


@pytest.mark.parametrize(
    ("values", "client", "hop"),
    [
        (["for=198.51.100.9"], CLIENT, 1),
        (["For=198.51.100.9;Proto=https;by=203.0.113.43;host=example.com"], CLIENT, 1),
        (["proto=https; for=198.51.100.9"], CLIENT, 1),
        (['for="198.51.100.9:47011"'], CLIENT, 1),
        (['for="198.51.100.9:_port"'], CLIENT, 1),
        (['for="[2001:db8:cafe::17]:4711"'], "2001:db8:cafe::17", 1),
        (['for="[2001:DB8::7]"'], "2001:db8::7", 1),
        (['for="[::ffff:198.51.100.9]"'], CLIENT, 1),
        (['for="198.51.\\100.9"'], CLIENT, 1),
        (["for=203.0.113.7, for=198.51.100.9;by=10.0.0.1, for=10.1.1.1"], CLIENT, 2),
        (["for=203.0.113.7", "for=198.51.100.9", "for=10.1.1.1"], CLIENT, 2),
        (['for=198.51.100.9;host="a,for=203.0.113.7", for=10.1.1.1'], CLIENT, 2),
        (['for=198.51.100.9;host="a\\",for=203.0.113.7"'], CLIENT, 1),
        (['for=198.51.100.9;host="a\\\\"'], CLIENT, 1),
        (["for=10.3.3.3, for=10.1.1.1"], "10.3.3.3", 2),
        ([";for=198.51.100.9;;proto=http;"], CLIENT, 1),
        (["for=unknown, for=198.51.100.9"], CLIENT, 1),
        (['for="unclosed, for=198.51.100.9'], CLIENT, 1),
    ],
)
def test_forwarded_is_read_by_rfc_7239_from_the_right(values: list[str], client: str, hop: int) -> None:
    assert found("Forwarded", *values) == ClientAddress(client, hop)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "for=unknown",
        "for=_hidden",
        'for="_SEVKISEK"',
        'for="unknown:80"',
        "for=",
        'for=""',
        "for",
        "by=198.51.100.9",
        "198.51.100.9",
        "for=198.51.100.9;for=198.51.100.8",
        "for=198.51.100.9;FOR=198.51.100.9",
        "for = 198.51.100.9",
        "for=198.51.100.9;proto",
        ";",
        "for=198.51.100.9 proto=https",
        "for=198.51.100.9:80",
        "for=[2001:db8::7]",
        "for=2001:db8::7",
        'for="2001:db8::7"',
        'for="2001:db8::7:80"',
        'for="[198.51.100.9]"',
        'for="[fe80::1%eth0]"',
        'for="198.51.100.9',
        'for=198.51.100.9"',
        'for="198.51.100.9"x',
        'for="198.51.100.9\\"',
        'for="198.51.100.9:123456"',
        'for="198.51.100.09"',
        'for=198.51.100.9;host="\x00"',
        "for=198.51.100.9,",
    ],
)
def test_what_forwarded_does_not_name_is_refused_not_guessed(value: str) -> None:
    refused = found("Forwarded", value)

    assert isinstance(refused, ClientAddressRefused)
    assert refused.code == "bad_forwarded_for"


@given(st.lists(st.text(st.characters() | st.sampled_from('",\\;=')), max_size=4))
def test_nothing_a_client_sends_to_the_left_changes_who_it_is(garbage: list[str]) -> None:
    appended = ",".join([*garbage, CLIENT])
    assert address("X-Forwarded-For", appended) == CLIENT
    assert address("X-Forwarded-For", *garbage, f"{CLIENT}, 10.1.1.1") == CLIENT

    for ours in (f"for={CLIENT}", f'for="{CLIENT}:80";host="a,\\"b"', f'for="{CLIENT}", for="[2001:db8:ffff::1]:80"'):
        assert address("Forwarded", *garbage, ours) == CLIENT
        assert address("Forwarded", ",".join([*garbage, ours])) == CLIENT


@given(
    st.text(st.characters() | st.sampled_from('fo=",\\;[]:0123456789.')),
    st.sampled_from(["X-Forwarded-For", "Forwarded"]),
)
def test_no_header_whatever_makes_it_raise(value: str, header: ForwardingHeader) -> None:
    client = found(header, value)

    if isinstance(client, ClientAddressRefused):
        client.text.encode("utf-8")


def test_a_header_of_thousands_of_trusted_hops_is_read_to_its_left_end() -> None:
    assert address("X-Forwarded-For", ",".join(["10.9.9.9"] + ["10.1.1.1"] * 20_000)) == "10.9.9.9"
    assert address("Forwarded", ",".join(["for=10.9.9.9"] + ['for="10.1.1.1:80"'] * 20_000)) == "10.9.9.9"
    assert address("Forwarded", '"\\' * 50_000) is None


def test_a_trusted_proxy_that_is_no_network_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(InvalidInput) as raised:
        client_address(PROXY, ["10.0.0.1/8"], None, [])

    assert (raised.value.code, raised.value.field) == ("bad_trusted_proxy", "trusted")
