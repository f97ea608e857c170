from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chekt_mcp.errors import DeliveryFailed, InvalidInput
from chekt_mcp.secrets.vault import VaultSink
from vault_server import (
    Mount,
    Vault,
    Version,
    make_authority,
    serving,
)

VALUE = "chekt_test_EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE"
TOKEN = "hvs.EXAMPLE"  # noqa: S105 -- opens the test server only
DATA, METADATA = "secret/data/chekt/front-desk", "secret/metadata/chekt/front-desk"


@pytest.fixture
def vault() -> Vault:
    rules = {DATA: {"create", "update", "patch"}, METADATA: {"read"}}
    return Vault(policies={TOKEN: ("", rules)}, mounts={("", "secret"): Mount()})


@pytest.fixture
def sink(vault: Vault, tmp_path: Path) -> Iterator[VaultSink]:
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN + "\n")
    token_file.chmod(0o600)
    with serving(vault) as address:
        yield VaultSink(address, "secret", "chekt/front-desk", "api_key", token_file, timeout=5)


def allow(vault: Vault, *capabilities: str) -> None:
    vault.policies[TOKEN][1][DATA] = set(capabilities)


def put(vault: Vault, *versions: Version) -> list[Version]:
    vault.mounts["", "secret"].secrets["chekt/front-desk"] = list(versions)
    return vault.mounts["", "secret"].secrets["chekt/front-desk"]


def prove(sink: VaultSink) -> None:
    asyncio.run(sink.prove())


def deliver(sink: VaultSink) -> None:
    asyncio.run(sink.deliver(VALUE))


def refusal_of(sink: VaultSink) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        deliver(sink)
    assert VALUE not in str(caught.value)
    return caught.value


def test_a_new_secret_is_created_with_the_field(vault: Vault, sink: VaultSink) -> None:
    prove(sink)
    deliver(sink)
    assert [one.data for one in vault.mounts["", "secret"].secrets["chekt/front-desk"]] == [{"api_key": VALUE}]


def test_other_fields_of_an_existing_secret_are_kept(vault: Vault, sink: VaultSink) -> None:
    versions = put(vault, Version({"api_key": "old", "url": "kept"}))
    prove(sink)
    deliver(sink)
    assert versions[-1].data == {"api_key": VALUE, "url": "kept"}
    assert versions[0].data["api_key"] == "old"


@pytest.mark.parametrize("gone", [Version({"api_key": "old"}, deleted=True), Version({}, destroyed=True)])
def test_a_deleted_secret_is_written_anew(vault: Vault, sink: VaultSink, gone: Version) -> None:
    versions = put(vault, gone)
    prove(sink)
    deliver(sink)
    assert versions[-1].data == {"api_key": VALUE}


def test_a_path_that_has_metadata_but_no_version_is_written(vault: Vault, sink: VaultSink) -> None:
    versions = put(vault)
    allow(vault, "update")
    prove(sink)
    deliver(sink)
    assert len(versions) == 1


def test_proving_writes_nothing(vault: Vault, sink: VaultSink) -> None:
    prove(sink)
    assert vault.mounts["", "secret"].secrets == {}
    assert {(one.method, one.path) for one in vault.requests} == {
        ("GET", "sys/internal/ui/mounts/secret"),
        ("GET", METADATA),
        ("POST", "sys/capabilities-self"),
    }


def test_every_write_names_the_version_it_replaces(vault: Vault, sink: VaultSink) -> None:
    vault.mounts["", "secret"].cas_required = True
    deliver(sink)
    deliver(sink)
    assert len(vault.mounts["", "secret"].secrets["chekt/front-desk"]) == 2
    assert [json.loads(vault.requests[at].content)["options"] for at in (1, 3)] == [{"cas": 0}, {"cas": 1}]


def test_a_write_by_somebody_else_in_between_is_not_overwritten(vault: Vault, sink: VaultSink) -> None:
    versions = put(vault, Version({"api_key": "old"}))
    vault.before_write = lambda: versions.append(Version({"api_key": "theirs"}))
    assert "somebody else" in refusal_of(sink).message
    assert versions[-1].data == {"api_key": "theirs"}


def test_without_check_and_set_no_version_is_named_and_a_mount_that_wants_one_says_so(
    vault: Vault, sink: VaultSink
) -> None:
    loose = replace(sink, check_and_set=False)
    deliver(loose)
    assert b"cas" not in vault.requests[-1].content
    vault.mounts["", "secret"].cas_required = True
    assert "check_and_set" in refusal_of(loose).fix


@pytest.mark.parametrize(
    ("standing", "capabilities", "missing"),
    [
        (None, {"update", "patch", "read"}, "create"),
        (Version({}), {"create", "update"}, "patch"),
        (Version({}, deleted=True), {"create"}, "patch, update"),
        (None, set(), "create"),
    ],
)
def test_proving_names_the_missing_capability(
    vault: Vault, sink: VaultSink, standing: Version | None, capabilities: set[str], missing: str
) -> None:
    if standing is not None:
        put(vault, standing)
    allow(vault, *capabilities)
    with pytest.raises(DeliveryFailed, match=f"capability {missing} on"):
        prove(sink)


def test_a_root_token_is_enough(vault: Vault, sink: VaultSink) -> None:
    vault.policies[TOKEN] = ("", {"*": {"root"}})
    prove(sink)
    deliver(sink)


@pytest.mark.parametrize("mount", [Mount(version="1"), Mount(kind="transit")])
def test_another_engine_is_refused_before_anything_is_written(vault: Vault, sink: VaultSink, mount: Mount) -> None:
    vault.mounts["", "secret"] = mount
    with pytest.raises(DeliveryFailed, match="no KV engine of version 2"):
        prove(sink)


def test_a_write_that_version_1_took_is_not_called_delivered(vault: Vault, sink: VaultSink) -> None:
    vault.mounts["", "secret"] = Mount(version="1")
    assert refusal_of(sink).code == "delivery_unknown"


def test_a_namespace_is_sent_and_another_one_does_not_open(vault: Vault, sink: VaultSink) -> None:
    vault.policies[TOKEN] = ("acme/alarm", vault.policies[TOKEN][1])
    vault.mounts = {("acme/alarm", "secret"): Mount()}
    with pytest.raises(DeliveryFailed, match="refused its token"):
        prove(sink)
    inside = replace(sink, namespace="acme/alarm")
    prove(inside)
    deliver(inside)
    assert vault.requests[-1].namespace == "acme/alarm"
    assert vault.mounts["acme/alarm", "secret"].secrets


def test_the_token_file_is_read_anew_each_time(vault: Vault, sink: VaultSink) -> None:
    sink.token_file.write_text("hvs.EXPIRED")
    assert "refused its token" in refusal_of(sink).message
    sink.token_file.write_text(TOKEN)
    deliver(sink)


@pytest.mark.parametrize("content", ["", "two words", "two\nlines", "h\N{GREEK SMALL LETTER PI}s"])
def test_a_token_file_without_a_token_is_refused_before_it_becomes_a_header(
    vault: Vault, sink: VaultSink, content: str
) -> None:
    sink.token_file.write_text(content)
    with pytest.raises(DeliveryFailed, match="token file"):
        prove(sink)
    assert vault.requests == []


def test_a_token_file_that_everyone_may_read_is_refused(sink: VaultSink) -> None:
    sink.token_file.chmod(0o644)
    with pytest.raises(DeliveryFailed, match="chmod 600"):
        prove(sink)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (307, "not the active one"),
        (400, "malformed"),
        (403, "refused its token"),
        (404, "no such engine or path"),
        (412, "behind the active one"),
        (418, "status 418"),
        (429, "too many requests"),
        (503, "sealed"),
    ],
)
def test_a_refused_write_says_why_without_repeating_the_answer(
    vault: Vault, sink: VaultSink, status: int, says: str
) -> None:
    vault.forced["POST"] = status
    error = refusal_of(sink)
    assert says in error.message
    assert error.code == "delivery_failed"
    assert "forced" not in str(error)


@pytest.mark.parametrize("status", [200, 204, 500, 502, 504])
def test_an_answer_that_settles_nothing_is_called_unknown(vault: Vault, sink: VaultSink, status: int) -> None:
    vault.forced["POST"] = status
    assert refusal_of(sink).code == "delivery_unknown"


def test_a_sealed_vault_is_said_to_be_sealed(vault: Vault, sink: VaultSink) -> None:
    vault.sealed = True
    with pytest.raises(DeliveryFailed, match="sealed"):
        prove(sink)


def test_a_lost_answer_is_called_unknown_and_delivering_again_settles_it(vault: Vault, sink: VaultSink) -> None:
    vault.lost.add("POST")
    assert refusal_of(sink).code == "delivery_unknown"
    vault.lost.clear()
    deliver(sink)
    assert [one.data for one in vault.mounts["", "secret"].secrets["chekt/front-desk"]] == [{"api_key": VALUE}] * 2


def test_a_vault_that_hangs_is_given_up_after_the_time_limit(vault: Vault, sink: VaultSink) -> None:
    vault.silent.add("GET")
    with pytest.raises(DeliveryFailed, match="cannot be reached"):
        prove(replace(sink, timeout=0.2))
    vault.silent = {"POST"}
    assert refusal_of(replace(sink, timeout=0.2)).code == "delivery_unknown"


def test_nobody_listening_is_a_plain_failure(sink: VaultSink) -> None:
    gone = replace(sink, address="http://127.0.0.1:1")
    assert refusal_of(gone).code == "delivery_failed"


def test_an_answer_that_is_not_vaults_is_refused(vault: Vault, sink: VaultSink) -> None:
    vault.forced["GET"] = 200
    with pytest.raises(DeliveryFailed, match="no KV engine of version 2"):
        prove(sink)
    assert "no KV engine of version 2" in refusal_of(sink).message


def test_proxies_of_the_environment_never_see_the_token(sink: VaultSink, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    deliver(sink)


class TestTls:
    def test_a_certificate_of_the_named_authority_is_trusted(
        self, vault: Vault, sink: VaultSink, tmp_path: Path
    ) -> None:
        authority, files = make_authority(tmp_path)
        with serving(vault, tls=files) as address:
            sink = replace(sink, address=address, ca_file=authority)
            prove(sink)
            deliver(sink)
        assert vault.mounts["", "secret"].secrets

    def test_any_other_certificate_is_refused_and_nothing_is_sent(
        self, vault: Vault, sink: VaultSink, tmp_path: Path
    ) -> None:
        _, files = make_authority(tmp_path)
        with serving(vault, tls=files) as address:
            error = refusal_of(replace(sink, address=address))
        assert "certificate is not trusted" in error.message
        assert vault.requests == []

    def test_a_certificate_for_another_name_is_refused(self, vault: Vault, sink: VaultSink, tmp_path: Path) -> None:
        authority, files = make_authority(tmp_path)
        with serving(vault, tls=files) as address:
            elsewhere = address.replace("127.0.0.1", "localhost")
            error = refusal_of(replace(sink, address=elsewhere, ca_file=authority))
        assert "certificate is not trusted" in error.message

    @pytest.mark.parametrize("content", [None, "no certificate"])
    def test_an_authority_file_that_cannot_be_used_is_named(
        self, sink: VaultSink, tmp_path: Path, content: str | None
    ) -> None:
        authority = tmp_path / "authority.pem"
        if content is not None:
            authority.write_text(content)
        assert "ca_file" in refusal_of(replace(sink, ca_file=authority)).fix


@pytest.mark.parametrize(
    "address",
    [
        "",
        "vault.example.com",
        "http://vault.example.com:8200",
        "http://127.0.0.1.example.com",
        "ftp://127.0.0.1",
        "https://user:pass@vault.example.com",
        "https://vault.example.com/v1/secret",
        "https://vault.example.com/?token=x",
        "https://[::1",
        "https://vault.example.com:port",
        "https://",
    ],
)
def test_an_address_that_is_not_https_or_says_too_much_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        VaultSink(address, "secret", "a", "f", Path("/t"))
    assert (caught.value.code, caught.value.field) == ("bad_setting", "address")


@pytest.mark.parametrize(
    "address", ["https://vault.example.com:8200", "http://127.0.0.1:8200/", "http://localhost", "http://[::1]:8200"]
)
def test_https_and_this_machine_are_taken(address: str) -> None:
    assert VaultSink(address, "secret", "a", "f", Path("/t")).address == address


@pytest.mark.parametrize("setting", ["mount", "path", "namespace"])
@pytest.mark.parametrize(
    "value",
    ["/a", "a/", "a//b", "../a", "a/..", "a?b", "a#b", "a%2fb", "a b", "a\nb", "\N{GREEK SMALL LETTER PI}", VALUE],
)
def test_a_path_that_could_lead_elsewhere_is_refused(setting: str, value: str) -> None:
    good = VaultSink("https://vault.example.com", "secret", "a", "f", Path("/t"))
    changed: dict[str, Any] = {setting: value}
    with pytest.raises(InvalidInput) as caught:
        replace(good, **changed)
    assert (caught.value.code, caught.value.field) == ("bad_setting", setting)
    assert VALUE not in str(caught.value)


@pytest.mark.parametrize("field", ["", "two words", VALUE])
def test_a_field_that_is_no_plain_name_is_refused(field: str) -> None:
    with pytest.raises(InvalidInput):
        VaultSink("https://v", "m", "p", field, Path("/t"))
