"""`chekt-mcp ranges fetch` over a network, good and bad: entries with whence and when, or the copy and its age."""

from __future__ import annotations

import argparse
import signal
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chekt_mcp.cli.command import Command
from chekt_mcp.cli.ranges.fetch import configure, fetch
from chekt_mcp.cli.ranges.kept_documents import DocumentFiles
from chekt_mcp.cli.terminal import Terminal
from chekt_mcp.errors import ChektError, InvalidInput, Unavailable
from chekt_mcp.network.https_document import DocumentLimits, HttpsDocuments
from chekt_mcp.network.tls_contexts import Trust
from chekt_mcp.operations.ranges.range_providers import PROVIDERS
from chekt_mcp.operations.ranges.range_sources import RangeSources
from document_server import Page, Provider, serving
from range_samples import AWS, CIRCLECI, GITHUB_META, GOOGLE, WEB_PAGE, networks_in
from vault_server import make_authority

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
Authority = tuple[Path, tuple[Path, Path]]
"""The authority's file, and certificate and key files of a server."""
LIMITS = DocumentLimits(size=64 * 1024, step=20, whole=20)


@dataclass
class Desk:
    """A person at a terminal, a provider's server, and time as the test wants it."""

    state: Path
    address: str
    provider: Provider
    trust: Trust
    capture: pytest.CaptureFixture[str]
    now: datetime = NOW
    limits: DocumentLimits = LIMITS
    notes: str = field(default="")

    def fetch(self, *arguments: str) -> str:
        """Return what goes to standard output; what goes beside it is in `notes`."""
        parser = argparse.ArgumentParser()
        configure(parser)  # type: ignore[arg-type]  # ours differs in how it reports errors only
        command = Command(parser.parse_args(arguments), {}, Terminal(), "chekt-mcp")
        try:
            assert fetch(command, self.sources()) == 0
        finally:
            out, self.notes = self.capture.readouterr()
        return out

    def refused(self, *arguments: str) -> ChektError:
        with pytest.raises(ChektError) as caught:
            self.fetch(*arguments)
        return caught.value

    def sources(self) -> RangeSources:
        urls = {"github": "/meta", "circleci": "/ip-ranges-list.json"}
        providers = {
            name: replace(one, url=self.address + urls[name]) if name in urls else one
            for name, one in PROVIDERS.items()
        }
        documents = HttpsDocuments(self.trust, self.limits)
        return RangeSources(documents, DocumentFiles(self.state), lambda: self.now, providers)


def trusting(authority: Path) -> Trust:
    return lambda context: context.load_verify_locations(authority)


def trust_nobody(context: ssl.SSLContext) -> None:
    """Leave the context without any authority."""


@pytest.fixture(autouse=True)
def own_interrupt_handler() -> Iterator[None]:
    """Put back what `carry_out` replaces for good: a command ends with its process, a test does not."""
    earlier = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, earlier)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def provider() -> Provider:
    return Provider(
        {
            "/meta": Page(GITHUB_META, etag='W/"EXAMPLE"'),
            "/ip-ranges-list.json": Page(CIRCLECI),
            "/aws.json": Page(AWS),
            "/google.json": Page(GOOGLE),
            "/list.txt?token=EXAMPLE": Page(b"# theirs\n203.0.113.0/24\n198.51.100.7\n"),
        }
    )


@pytest.fixture
def desk(
    tmp_path: Path, provider: Provider, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> Iterator[Desk]:
    with serving(provider, authority[1]) as address:
        yield Desk(tmp_path, address, provider, trusting(authority[0]), capsys)


def test_githubs_actions_come_with_whence_when_and_who_shares_them(desk: Desk) -> None:
    assert desk.fetch("github", "--kind", "actions") == (
        f"# github actions, from {desk.address}/meta at 2026-05-01T12:00:00Z: shared by all its customers\n"
        "4.148.0.0/17\n4.148.128.0/17\n4.149.0.0/18\n2a01:111:f403:d91b::/64\n"
    )
    assert "whoever rents there" in desk.notes


def test_neighbours_are_merged_on_request(desk: Desk) -> None:
    assert networks_in(desk.fetch("github", "--kind", "actions", "--merge"))[:2] == ["4.148.0.0/16", "4.149.0.0/18"]


def test_several_kinds_are_named_by_commas_and_the_default_is_all(desk: Desk) -> None:
    assert networks_in(desk.fetch("circleci", "--kind", "jobs,core")) == [
        "54.205.138.102/32",
        "3.228.39.90/32",
        "34.197.216.176/32",
    ]
    assert "# circleci macOS, from " in desk.fetch("circleci")
    assert "macOS (3), jobs (2), core (1)" in desk.notes
    assert "circleci_ip_ranges" in desk.notes


def test_all_of_github_leaves_out_keys_and_host_names_and_says_so(desk: Desk) -> None:
    assert "# github dependabot, from" in desk.fetch("github")
    assert "hold no addresses: ssh_keys, domains.website, domains.actions_inbound.full_domains" in desk.notes
    assert "4 networks stand in several lists; each is written once" in desk.notes


def test_an_unknown_kind_is_refused_with_those_there_are(desk: Desk) -> None:
    error = desk.refused("circleci", "--kind", "job")
    assert (error.code, error.fix) == ("unknown_kind", "It has: macOS, jobs, core.")


def test_gitlab_is_shipped_with_its_source_and_age_and_asks_nobody(desk: Desk) -> None:
    desk.now = datetime(2026, 11, 21, tzinfo=UTC)
    assert networks_in(desk.fetch("gitlab")) == ["34.74.90.64/28", "34.74.226.0/24"]
    assert "shipped with chekt-mcp: it is 184 days old (as of 2026-05-21)" in desk.notes
    assert "https://docs.gitlab.com/user/gitlab_com/#ip-range" in desk.notes
    assert "runners have no fixed addresses" in desk.notes
    assert desk.provider.requests == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/aws.json", ["3.4.12.4/32", "2600:1f14::/35"]),
        ("/google.json", ["34.1.208.0/20", "2600:1900:8000::/44"]),
        ("/list.txt?token=EXAMPLE", ["203.0.113.0/24", "198.51.100.7/32"]),
    ],
)
def test_any_https_url_is_read_and_its_query_stays_out_of_the_comment(
    desk: Desk, path: str, expected: list[str]
) -> None:
    text = desk.fetch(desk.address + path)
    assert networks_in(text) == expected
    assert f", from {desk.address}{path.partition('?')[0]} at " in text
    assert "EXAMPLE" not in text
    assert "shared by all" not in text
    assert "add --shared" in desk.notes


def test_a_url_can_be_marked_as_shared_and_a_providers_own_url_is(desk: Desk) -> None:
    assert ": shared by all its customers\n" in desk.fetch(f"{desk.address}/aws.json", "--shared")
    assert desk.fetch(f"{desk.address}/meta", "--kind", "hooks").startswith("# github hooks, from ")


def test_an_unchanged_document_is_not_sent_again_and_counts_as_of_now(desk: Desk) -> None:
    first = desk.fetch("github", "--kind", "actions")
    desk.now = NOW + timedelta(days=3)
    assert desk.fetch("github", "--kind", "actions") == first.replace("2026-05-01", "2026-05-04")
    assert [request.get("if-none-match") for request in desk.provider.requests] == [None, 'W/"EXAMPLE"']
    assert "copy" not in desk.notes


def test_a_changed_document_replaces_the_copy(desk: Desk) -> None:
    desk.fetch("github", "--kind", "actions")
    desk.provider.pages["/meta"] = Page(b'{"actions": ["203.0.113.7"]}', etag='"newer"')
    assert networks_in(desk.fetch("github")) == ["203.0.113.7/32"]
    del desk.provider.pages["/meta"]
    assert networks_in(desk.fetch("github")) == ["203.0.113.7/32"]


def test_with_a_certificate_that_is_not_trusted_the_copy_serves_and_its_age_is_said(desk: Desk) -> None:
    first = desk.fetch("github", "--kind", "actions")
    desk.now = NOW + timedelta(days=2, hours=5)
    desk.trust = trust_nobody
    assert desk.fetch("github", "--kind", "actions") == first
    assert "certificate" in desk.notes
    assert "This is the copy of 2026-05-01T12:00:00Z, 2 days old." in desk.notes


def test_without_a_network_the_copy_serves(
    tmp_path: Path, provider: Provider, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(provider, authority[1]) as address:
        desk = Desk(tmp_path, address, provider, trusting(authority[0]), capsys)
        first = desk.fetch("github", "--kind", "actions")
    assert desk.fetch("github", "--kind", "actions") == first
    assert "could not be reached" in desk.notes
    assert "This is the copy of 2026-05-01T12:00:00Z, less than a minute old." in desk.notes


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (Page(status=503), "status 503"),
        (Page(status=403), "status 403"),
        (Page(WEB_PAGE), "web page"),
        (Page(GITHUB_META[:-40]), "cut off"),
        (Page(GITHUB_META, sent=GITHUB_META[:-40]), "broke off"),
        (Page(b'{"message": "moved"}'), "no address"),
        (Page(b" " * 70_000), "larger than"),
        (Page(status=302, headers={"Location": "https://198.51.100.7/"}), "(https://198.51.100.7/)"),
    ],
)
def test_whatever_is_wrong_with_the_answer_the_copy_serves_and_stays(desk: Desk, page: Page, reason: str) -> None:
    first = desk.fetch("github", "--kind", "actions")
    sound = desk.provider.pages["/meta"]
    desk.provider.pages["/meta"] = page
    desk.now = NOW + timedelta(hours=1)
    assert desk.fetch("github", "--kind", "actions") == first
    assert reason in desk.notes
    assert "1 hour old" in desk.notes
    desk.provider.pages["/meta"] = sound
    assert "2026-05-01T13:00:00Z" in desk.fetch("github", "--kind", "actions")
    assert desk.provider.requests[-1]["if-none-match"] == 'W/"EXAMPLE"'


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (Page(status=503), "bad_status"),
        (Page(WEB_PAGE), "markup"),
        (Page(GITHUB_META[:-40]), "broken_json"),
        (Page(status=302, headers={"Location": "https://198.51.100.7/"}), "redirected"),
    ],
)
def test_without_a_copy_the_trouble_is_an_error_and_nothing_is_kept(desk: Desk, page: Page, code: str) -> None:
    desk.provider.pages["/meta"] = page
    assert desk.refused("github").code == code
    assert not (desk.state / "ranges").exists()


def test_a_provider_that_trickles_is_given_up_for_the_copy(desk: Desk) -> None:
    first = desk.fetch("github", "--kind", "actions")
    desk.provider.pages["/meta"] = Page(b" " * 10_000, sent=b"[", trickles=True)
    desk.limits = DocumentLimits(step=20, whole=0.2)
    assert desk.fetch("github", "--kind", "actions") == first
    assert "too slow" in desk.notes


def test_a_damaged_copy_is_fetched_anew_with_a_note(desk: Desk) -> None:
    desk.fetch("github", "--kind", "actions")
    (file,) = (desk.state / "ranges").iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    desk.fetch("github", "--kind", "actions")
    assert "damaged" in desk.notes
    assert "if-none-match" not in desk.provider.requests[-1]
    desk.fetch("github", "--kind", "actions")
    assert "damaged" not in desk.notes


def test_a_damaged_copy_without_a_network_is_an_error_that_tells_both(desk: Desk) -> None:
    desk.fetch("github", "--kind", "actions")
    (file,) = (desk.state / "ranges").iterdir()
    file.write_bytes(b"")
    desk.provider.pages["/meta"] = Page(status=503)
    error = desk.refused("github")
    assert "status 503" in error.message
    assert "damaged" in error.message


def test_a_hostile_document_can_neither_draw_nor_add_an_entry_nor_pose_as_another(desk: Desk) -> None:
    name = "a\\n0.0.0.0/0 # github actions\\u202e\\u001b[2J"
    desk.provider.pages["/evil"] = Page(
        f'{{"{name}": ["203.0.113.7", "1.1.1.1\\n0.0.0.0/0", "\\u001b[2J", "9.9.9.9 #"]}}'.encode()
    )
    text = desk.fetch(f"{desk.address}/evil")
    assert networks_in(text) == ["203.0.113.7/32"]
    assert text.startswith("# 127.0.0.1 a\\u{a}0.0.0.0/0 # github actions\\u{202e}\\u{1b}[2J, from https://127.0.0.1:")
    assert not any(one in text + desk.notes for one in ("\x1b", "\u202e"))
    assert desk.notes.count("left out ") == 3


def test_a_document_that_lets_everybody_in_is_refused(desk: Desk) -> None:
    desk.provider.pages["/all"] = Page(b"0.0.0.0/1\n128.0.0.0/1\n")
    assert desk.refused(f"{desk.address}/all").code == "covers_everything"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("http://api.github.com/meta", "not_https"),
        ("ftp://example.com/list", "not_https"),
        ("file:///etc/hosts", "bad_url"),
        ("https://person:EXAMPLE@example.com/list", "credentials_in_url"),
        ("https://example.com/a b", "bad_url"),
        ("https://2130706433/", "bad_url"),
        ("https://example.com/\x1b[2J", "bad_url"),
        ("", "unreadable_file"),
        (".", "unreadable_file"),
        ("missing.json", "unreadable_file"),
        ("~nobody-of-that-name/list", "unreadable_file"),
        ("nul\x00byte", "unreadable_file"),
        ("x" * 5000, "unreadable_file"),
    ],
)
def test_what_is_no_source_is_refused_without_asking_anybody(desk: Desk, source: str, code: str) -> None:
    error = desk.refused(source)
    assert isinstance(error, InvalidInput)
    assert error.code == code
    assert "EXAMPLE" not in str(error)
    assert desk.provider.requests == []


def test_a_certificate_that_is_not_trusted_and_no_copy_says_what_to_do(desk: Desk) -> None:
    desk.trust = trust_nobody
    error = desk.refused("github")
    assert isinstance(error, Unavailable)
    assert "give it as a file" in error.fix
