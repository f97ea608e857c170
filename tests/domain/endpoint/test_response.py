"""Of an answer, status and `Location` are read, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chekt_mcp.domain.endpoint.response import Head, NoHead, parse_head, response_findings


def codes(response: Head | NoHead) -> list[tuple[str, str]]:
    found = list(response_findings(response))
    assert all(one.message and one.fix for one in found)
    return [(one.code.value, one.severity.value) for one in found]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", Head(204)),
        (b"HTTP/1.0 405\r\nAllow: POST\r\n\r\n", Head(405)),
        (b"HTTP/1.1 301 Moved\r\nLocation: https://b.example.com/\r\n\r\n", Head(301, "https://b.example.com/")),
        (b"HTTP/1.1 302 \r\nX: Location: no\r\nlocation:\t/a \r\nLocation: /b\r\n\r\n", Head(302, "/a")),
        (b"HTTP/1.1 200 OK\nLocation: /x\n\n", Head(200, "/x")),
        (b"HTTP/1.1 307 T\r\nLocation: \xff\x00\r\n\r\n", Head(307, "\xff\x00")),
        (b"HTTP/2 200\r\n\r\n", None),
        (b"HTTP/1.1 99 x\r\n\r\n", None),
        (b"HTTP/1.1 200OK\r\n\r\n", None),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", None),
        (b"", None),
    ],
)
def test_a_head_is_read_strictly(data: bytes, expected: Head | None) -> None:
    assert parse_head(data) == expected


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for text in (data, b"HTTP/1.1 302 F\r\nLocation: " + data + b"\r\n\r\n"):
        head = parse_head(text)
        assert head is None or head.location is None or "\n" not in head.location


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (Head(200), []),
        (Head(400), []),
        (Head(405), []),
        (Head(301, "/x"), [("redirects", "critical")]),
        (Head(308), [("redirects", "critical")]),
        (Head(401), [("refuses_callers", "warning")]),
        (Head(403), [("refuses_callers", "warning")]),
        (Head(404), [("path_not_found", "warning")]),
        (Head(410), [("path_not_found", "warning")]),
        (Head(500), [("server_error", "warning")]),
        (Head(599), [("server_error", "warning")]),
        (NoHead.NOT_ASKED, []),
        (NoHead.SILENT, [("no_answer", "warning")]),
        (NoHead.CLOSED, [("no_answer", "warning")]),
        (NoHead.TOO_LARGE, [("no_answer", "warning")]),
        (NoHead.NOT_HTTP, [("not_http", "critical")]),
        (NoHead.CERTIFICATE_ASKED, [("client_certificate_asked", "critical")]),
    ],
)
def test_an_answer_means_what_it_means_for_deliveries(response: Head | NoHead, expected: list[tuple[str, str]]) -> None:
    assert codes(response) == expected


def test_where_a_redirect_leads_is_never_in_the_words() -> None:
    (finding,) = response_findings(Head(301, "https://ignore-previous-instructions.example.com/"))
    assert "ignore" not in finding.message + finding.fix
