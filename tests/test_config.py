"""Settings are read once; a flag wins over its variable; what cannot be read is refused and named."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.config import (
    AnchorSetting,
    CommandSetting,
    Settings,
    VaultSetting,
    from_environment,
    without_bad_settings,
)
from chekt_mcp.errors import InvalidInput
from chekt_mcp.oauth_setting import LoginSetting

KEY = "chekt_test_" + "EXAMPLE0" * 4
STATE = {"CHEKT_MCP_STATE": "/srv/chekt"}
NUMBERS = {
    "CHEKT_MCP_APPROVAL_MINUTES": (1, 1440),
    "CHEKT_MCP_GRACE_HOURS": (1, 720),
    "CHEKT_MCP_WEBHOOK_WINDOW": (1, 3600),
    "CHEKT_MCP_SINK_SECONDS": (1, 60),
    "CHEKT_MCP_CHECKPOINT_ENTRIES": (1, 1_000_000),
    "CHEKT_MCP_CHECKPOINT_SECONDS": (5, 86_400),
}
COMMAND = {"CHEKT_MCP_SINK_COMMAND": "store --name '{app} {kind}'"}
VAULT = {"CHEKT_MCP_VAULT_ADDRESS": "https://vault.example.com", "CHEKT_MCP_VAULT_TOKEN_FILE": "/run/token"}


def refused(**variables: str) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        from_environment({**STATE, **variables})
    assert caught.value.code == "bad_setting"
    return caught.value


def number(settings: Settings, name: str) -> float:
    if name == "CHEKT_MCP_SINK_SECONDS":
        return settings.sink.seconds if settings.sink else 30
    values = {
        "CHEKT_MCP_APPROVAL_MINUTES": settings.approval_ttl / timedelta(minutes=1),
        "CHEKT_MCP_GRACE_HOURS": settings.grace / timedelta(hours=1),
        "CHEKT_MCP_WEBHOOK_WINDOW": settings.webhook_window,
        "CHEKT_MCP_CHECKPOINT_ENTRIES": settings.checkpoint_entries,
        "CHEKT_MCP_CHECKPOINT_SECONDS": settings.checkpoint_seconds,
    }
    return values[name]


def test_defaults_are_the_documented_ones() -> None:
    settings = from_environment(STATE)
    assert settings.state == Path("/srv/chekt")
    assert settings.secrets_dir == Path("/srv/chekt/secrets")
    assert settings.kek_file == Path("/srv/chekt/kek")
    assert (settings.approval_ttl, settings.grace) == (timedelta(minutes=10), timedelta(hours=24))
    assert settings.webhook_window == 300
    assert (settings.api_key, settings.api_key_file, settings.kek, settings.kek_command) == (None,) * 4


def test_empty_variables_count_as_not_set() -> None:
    names = ("CHEKT_MCP_SECRETS_DIR", "CHEKT_API_KEY_FILE", "CHEKT_API_KEY", "CHEKT_MCP_KEK", "CHEKT_MCP_KEK_COMMAND")
    assert from_environment({**STATE, **dict.fromkeys((*names, *NUMBERS), "")}) == from_environment(STATE)


def test_a_flag_wins_over_its_variable() -> None:
    environ = {**STATE, "CHEKT_MCP_SECRETS_DIR": "/srv/keys"}
    settings = from_environment(environ, state="/srv/other", secrets_dir="/srv/flag")
    assert (settings.state, settings.secrets_dir) == (Path("/srv/other"), Path("/srv/flag"))
    assert from_environment(environ).secrets_dir == Path("/srv/keys")


def test_paths_are_absolute_and_know_the_home_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    settings = from_environment({"CHEKT_MCP_STATE": "state", "CHEKT_API_KEY_FILE": "~/key"})
    assert (settings.state, settings.api_key_file) == (tmp_path / "state", tmp_path / "key")


def test_without_a_directory_the_platforms_own_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    state = from_environment({}).state
    assert state.name == "chekt-mcp"
    assert tmp_path in state.parents


@pytest.mark.parametrize("name", ["CHEKT_MCP_STATE", "CHEKT_MCP_SECRETS_DIR", "CHEKT_API_KEY_FILE"])
def test_the_home_of_an_unknown_user_is_refused(name: str) -> None:
    assert refused(**{name: "~no-such-user-here/x"}).field == name


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_are_taken_within_their_limits(name: str) -> None:
    low, high = NUMBERS[name]
    assert number(from_environment({**STATE, **COMMAND, name: str(low)}), name) == low
    assert number(from_environment({**STATE, **COMMAND, name: f"0{high}"}), name) == high


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "text",
    ["0", "-1", "+5", "1.5", "1e2", "ten", " 5", "5 ", "0x10", "1_0", "\u0665", "\u00b2", "00000000199999", "9" * 5000],
)
def test_numbers_outside_their_limits_are_refused_with_the_limits(name: str, text: str) -> None:
    low, high = NUMBERS[name]
    error = refused(**{name: text})
    assert error.field == name
    assert f"from {low} to {high}" in error.message
    assert len(text) < 3 or text not in str(error)


@given(st.text(), st.sampled_from(sorted(NUMBERS)))
def test_any_text_is_a_number_within_its_limits_or_refused(text: str, name: str) -> None:
    try:
        settings = from_environment({**STATE, name: text})
    except InvalidInput:
        return
    low, high = NUMBERS[name]
    assert low <= number(settings, name) <= high


def test_a_command_is_split_as_a_shell_would() -> None:
    settings = from_environment({**STATE, "CHEKT_MCP_KEK_COMMAND": "op read 'op://team/chekt kek'"})
    assert settings.kek_command == ("op", "read", "op://team/chekt kek")


@pytest.mark.parametrize("text", ["op read 'unfinished", 'op "', "op \\", " ", "\t"])
def test_a_command_that_cannot_be_split_is_refused_and_not_repeated(text: str) -> None:
    error = refused(CHEKT_MCP_KEK_COMMAND=text)
    assert error.field == "CHEKT_MCP_KEK_COMMAND"
    assert "unfinished" not in str(error)


def test_settings_do_not_show_key_and_key_encryption_key() -> None:
    settings = from_environment({**STATE, "CHEKT_API_KEY": KEY, "CHEKT_MCP_KEK": "RVhBTVBMRQ=="})
    assert (settings.api_key, settings.kek) == (KEY, "RVhBTVBMRQ==")
    assert KEY not in repr(settings)
    assert "RVhBTVBMRQ==" not in repr(settings)


def test_nobody_outside_keeps_checkpoints_unless_configured() -> None:
    assert from_environment(STATE).anchor == AnchorSetting()


def test_anchors_are_a_url_and_a_command_that_may_be_asked() -> None:
    configured = {
        "CHEKT_MCP_ANCHOR_URL": "https://anchor.example.com/{dealer}",
        "CHEKT_MCP_ANCHOR_COMMAND": "keep '{dealer} log'",
        "CHEKT_MCP_ANCHOR_ASK": "newest {dealer}",
    }
    expected = AnchorSetting(configured["CHEKT_MCP_ANCHOR_URL"], ("keep", "{dealer} log"), ("newest", "{dealer}"))
    assert from_environment({**STATE, **configured}).anchor == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHEKT_MCP_ANCHOR_URL", "http://anchor.example.com/"),
        ("CHEKT_MCP_ANCHOR_COMMAND", "keep 'it"),
        ("CHEKT_MCP_ANCHOR_ASK", "newest"),
    ],
)
def test_an_anchor_that_cannot_be_used_as_configured_is_refused(name: str, value: str) -> None:
    assert refused(**{name: value}).field == name


def test_new_keys_go_to_files_unless_something_else_is_configured() -> None:
    assert from_environment(STATE).sink is None


def test_a_sink_command_is_split_and_keeps_its_places() -> None:
    environ = {**STATE, **COMMAND, "CHEKT_MCP_SINK_CHECK": "store --check", "CHEKT_MCP_SINK_SECONDS": "5"}
    expected = CommandSetting(("store", "--name", "{app} {kind}"), ("store", "--check"), 5)
    assert from_environment(environ).sink == expected


def test_vault_needs_an_address_and_a_token_file_only() -> None:
    expected = VaultSetting(
        "https://vault.example.com", Path("/run/token"), "secret", "chekt/{dealer}/{app}", "{kind}", None, None, 30
    )
    assert from_environment({**STATE, **VAULT}).sink == expected
    assert refused(CHEKT_MCP_VAULT_ADDRESS="https://vault.example.com").field == "CHEKT_MCP_VAULT_TOKEN_FILE"


def test_two_places_for_new_keys_are_refused() -> None:
    assert refused(**COMMAND, **VAULT).field == "CHEKT_MCP_SINK_COMMAND"


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ({"CHEKT_MCP_SINK_COMMAND": "store"}, "CHEKT_MCP_SINK_COMMAND"),
        ({"CHEKT_MCP_SINK_COMMAND": "store {app}"}, "CHEKT_MCP_SINK_COMMAND"),
        ({"CHEKT_MCP_SINK_COMMAND": "store {kind}"}, "CHEKT_MCP_SINK_COMMAND"),
        ({**VAULT, "CHEKT_MCP_VAULT_PATH": "one/for/all"}, "CHEKT_MCP_VAULT_PATH"),
        ({**VAULT, "CHEKT_MCP_VAULT_FIELD": "key"}, "CHEKT_MCP_VAULT_PATH"),
    ],
)
def test_a_place_that_is_the_same_for_every_key_is_refused(variables: dict[str, str], field: str) -> None:
    assert refused(**variables).field == field


@pytest.mark.parametrize(
    ("variables", "fields"),
    [
        ({}, []),
        ({"CHEKT_MCP_GRACE_HOURS": "x"}, ["CHEKT_MCP_GRACE_HOURS"]),
        (
            {"CHEKT_MCP_GRACE_HOURS": "x", "CHEKT_MCP_WEBHOOK_WINDOW": "0", "CHEKT_MCP_KEK_COMMAND": "'"},
            ["CHEKT_MCP_GRACE_HOURS", "CHEKT_MCP_KEK_COMMAND", "CHEKT_MCP_WEBHOOK_WINDOW"],
        ),
        ({"CHEKT_API_KEY_FILE": "~no-such-user-here/key"}, ["CHEKT_API_KEY_FILE"]),
        ({"CHEKT_MCP_VAULT_ADDRESS": "https://vault.example.com"}, ["CHEKT_MCP_VAULT_TOKEN_FILE"]),
    ],
)
def test_without_the_bad_settings_the_rest_is_as_if_they_were_not_set(
    variables: dict[str, str], fields: list[str]
) -> None:
    good = {**STATE, "CHEKT_MCP_APPROVAL_MINUTES": "7"}
    settings, bad = without_bad_settings({**good, **variables})
    assert settings == from_environment(good)
    assert sorted(error.field for error in bad) == fields


@given(st.dictionaries(st.sampled_from([*NUMBERS, *COMMAND, *VAULT]), st.sampled_from(["", "x", "'", "5", "{app}"])))
def test_whatever_is_set_settings_without_the_bad_ones_can_be_had(variables: dict[str, str]) -> None:
    settings, bad = without_bad_settings({**STATE, **variables})
    assert settings.state == Path("/srv/chekt")
    assert len(bad) <= len(variables)


def test_a_flag_that_cannot_be_read_is_still_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        without_bad_settings(STATE, state="~no-such-user-here/state")
    assert caught.value.code == "bad_setting"


LOGIN = {
    "CHEKT_MCP_OAUTH_AUTHORIZE_URL": "https://login.example.com/authorize",
    "CHEKT_MCP_OAUTH_TOKEN_URL": "https://login.example.com/token",
    "CHEKT_MCP_OAUTH_PAGES_CLIENT_ID": "chekt-approvals",
}
OAUTH = {
    "CHEKT_MCP_OAUTH_ISSUER": "https://login.example.com",
    "CHEKT_MCP_OAUTH_JWKS_URL": "https://login.example.com/jwks",
}
INTROSPECTION = {
    "CHEKT_MCP_OAUTH_INTROSPECTION_URL": "https://login.example.com/introspect",
    "CHEKT_MCP_OAUTH_CLIENT_ID": "chekt-mcp",
    "CHEKT_MCP_OAUTH_CLIENT_SECRET": "EXAMPLE",
}


def test_nobodys_tokens_are_taken_unless_an_issuer_is_named() -> None:
    assert from_environment(STATE).oauth is None
    assert from_environment({**STATE, **dict.fromkeys(OAUTH, "")}).oauth is None


def test_an_issuer_needs_its_name_and_its_keys_only() -> None:
    oauth = from_environment({**STATE, **OAUTH}).oauth
    assert oauth is not None
    assert (sorted(oauth.algorithms), sorted(oauth.types)) == (["RS256"], ["at+jwt"])
    claims = (oauth.dealer_claim, oauth.apps_claim, oauth.approver_claim, oauth.dealer, oauth.apps)
    assert claims == ("chekt_dealer", "chekt_apps", "chekt_approver", None, ())


def test_everything_about_an_issuer_can_be_said() -> None:
    chosen = {
        "CHEKT_MCP_OAUTH_ALGORITHMS": "ES256, EdDSA",
        "CHEKT_MCP_OAUTH_TYPES": "application/at+JWT,JWT",
        "CHEKT_MCP_OAUTH_APPS": "shop kiosk,shop",
        "CHEKT_MCP_OAUTH_DEALER": "acme",
        "CHEKT_MCP_ISSUER_HOSTS": "private",
        "CHEKT_MCP_ISSUER_CA_FILE": "/etc/ca.pem",
    }
    settings = from_environment({**STATE, **OAUTH, **INTROSPECTION, **chosen})
    oauth = settings.oauth
    assert oauth is not None
    assert (sorted(oauth.algorithms), sorted(oauth.types)) == (["ES256", "EdDSA"], ["at+jwt", "jwt"])
    assert (oauth.apps, oauth.dealer) == (("shop", "kiosk"), "acme")
    assert oauth.introspection is not None
    assert oauth.introspection.client_id == "chekt-mcp"
    assert (settings.issuers.hosts, settings.issuers.ca_file) == ("private", Path("/etc/ca.pem"))
    assert "EXAMPLE" not in repr(settings)


@pytest.mark.parametrize(
    ("variables", "to_blame"),
    [
        ({"CHEKT_MCP_OAUTH_JWKS_URL": "https://login.example.com/jwks"}, "CHEKT_MCP_OAUTH_JWKS_URL"),
        (INTROSPECTION, "CHEKT_MCP_OAUTH_INTROSPECTION_URL"),
        ({"CHEKT_MCP_OAUTH_ISSUER": "https://login.example.com"}, "CHEKT_MCP_OAUTH_ISSUER"),
        ({**OAUTH, **INTROSPECTION, "CHEKT_MCP_OAUTH_CLIENT_SECRET": ""}, "CHEKT_MCP_OAUTH_INTROSPECTION_URL"),
        ({**OAUTH, "CHEKT_MCP_OAUTH_ALGORITHMS": "HS256"}, "CHEKT_MCP_OAUTH_ALGORITHMS"),
        ({**OAUTH, "CHEKT_MCP_OAUTH_ALGORITHMS": "RS256 none"}, "CHEKT_MCP_OAUTH_ALGORITHMS"),
        ({"CHEKT_MCP_ISSUER_HOSTS": "anywhere"}, "CHEKT_MCP_ISSUER_HOSTS"),
    ],
)
def test_half_an_issuer_is_refused_by_the_variable_that_is_set(variables: dict[str, str], to_blame: str) -> None:
    assert refused(**variables).field == to_blame
    settings, bad = without_bad_settings({**STATE, **variables})
    assert bad
    assert settings.issuers.hosts == "public"


def test_thresholds_of_the_analysis_are_read_by_name() -> None:
    given = from_environment({**STATE, "CHEKT_MCP_ANALYSIS": "burst_calls=20, unused_days=180"})
    assert given.analysis == {"burst_calls": 20, "unused_days": 180}
    assert from_environment(STATE).analysis == {}


@pytest.mark.parametrize(
    "text", ["burst_calls", "burst_calls=", "burst_calls=0", "burst_calls=-1", "bursts=3", "a=b=c"]
)
def test_a_threshold_that_cannot_be_read_is_refused_without_an_echo(text: str) -> None:
    error = refused(CHEKT_MCP_ANALYSIS=text)
    assert error.field == "CHEKT_MCP_ANALYSIS"
    assert "bursts" not in str(error)


def test_approvers_sign_in_at_the_issuer_where_all_of_it_is_set_and_nothing_of_it_alone() -> None:
    oauth = from_environment({**STATE, **OAUTH, **LOGIN}).oauth
    assert oauth is not None
    assert oauth.login == LoginSetting(*LOGIN.values())
    for name in LOGIN:
        with pytest.raises(InvalidInput, match="all three or none"):
            from_environment({**STATE, **OAUTH, **LOGIN, name: ""})
        with pytest.raises(InvalidInput, match="needs CHEKT_MCP_OAUTH_ISSUER"):
            from_environment({**STATE, name: "x"})
