"""Where test deliveries may go, by their URL alone."""

from __future__ import annotations

import pytest

from chekt_mcp.domain.webhook.answer import Answer, Failure, NoAnswer, meaning
from chekt_mcp.domain.webhook.destination import local_destination, public_destination
from chekt_mcp.errors import InvalidInput


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example.com/", "not_https"),
        ("http://localhost:8000/", "not_https"),
        ("ftp://hooks.example.com/", "not_https"),
        ("https://localhost/", "local_name"),
        ("https://intranet/", "local_name"),
        ("https://a:b@hooks.example.com/", "credentials_in_url"),
        ("https://hooks.example.com:25/", "port_not_looked_at"),
        ("https://hooks.example.com/a b", "bad_url"),
        ("hooks.example.com", "bad_url"),
    ],
)
def test_without_local_only_https_on_the_internet(url: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        public_destination(url)
    assert refused.value.code == code


@pytest.mark.parametrize("url", ["http://localhost:8000/", "https://localhost/"])
def test_who_means_their_own_machine_is_told_of_local(url: str) -> None:
    with pytest.raises(InvalidInput, match="--local"):
        public_destination(url)


@pytest.mark.parametrize(
    "url", ["http://localhost:8000/x?y=1", "https://[::1]:8443/", "http://127.0.0.1/", "https://a.localhost/"]
)
def test_with_local_http_and_https_are_taken(url: str) -> None:
    assert local_destination(url).scheme in url


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://localhost/", "bad_url"),
        ("file:///etc/passwd", "bad_url"),
        ("http://a:b@localhost/", "credentials_in_url"),
        ("http://localhost:25/", "port_not_looked_at"),
        ("http://localhost:0/", "bad_url"),
    ],
)
def test_with_local_nothing_but_the_web_is_taken(url: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        local_destination(url)
    assert refused.value.code == code


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_a_2xx_answer_counts_as_received(status: int) -> None:
    assert Answer(status, 0.1).accepted
    assert "not send it again" in meaning(Answer(status, 0.1), "shop")


@pytest.mark.parametrize("status", [101, 301, 308, 400, 401, 403, 404, 405, 410, 413, 418, 429, 500, 503, 999])
def test_any_other_answer_is_retried_for_24_hours(status: int) -> None:
    assert not Answer(status, 0.1).accepted
    assert "up to 24 h" in meaning(Answer(status, 0.1), "shop")


def test_a_refusal_says_how_to_find_out_why() -> None:
    assert "chekt-mcp webhook verify --app shop --dump FILE" in meaning(Answer(401, 0.1), "shop")


@pytest.mark.parametrize("failure", Failure)
def test_every_failure_says_whether_anything_was_sent_or_that_it_is_retried(failure: Failure) -> None:
    said = meaning(NoAnswer(failure), "shop")
    assert said.startswith("Nothing was sent") == (failure not in {Failure.NO_ANSWER, Failure.BROKEN_OFF})
    assert said.startswith("Nothing was sent") or "up to 24 h" in said
