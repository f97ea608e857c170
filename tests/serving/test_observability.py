"""What is told of calls and refusals, and that docs/observability.md asks for what there is."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chekt_mcp.auth.bearer import BearerTokens
from chekt_mcp.auth.granted import GrantedToken, Refused
from chekt_mcp.http.metrics import BUCKETS, Labels, Metrics
from chekt_mcp.logs import JsonFormatter
from http_site import Served, call, serving
from world import World

DOCUMENT = (Path(__file__).parents[2] / "docs" / "observability.md").read_text("utf-8")
SECRET = "chekt_live_" + "FAKE" * 10


class Lines(logging.Handler):
    """Keeps log lines as they would be written."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))

    def events(self, name: str) -> list[dict[str, Any]]:
        return [line for line in map(json.loads, self.texts) if line["event"] == name]


@pytest.fixture
def lines() -> Iterator[Lines]:
    ours, handler = logging.getLogger("chekt_mcp"), Lines()
    before = ours.level
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    yield handler
    ours.removeHandler(handler)
    ours.setLevel(before)


async def some_traffic(world: World, served: Served) -> None:
    key = world.keys["acme", "shop"]
    async with served.client(key) as client:
        await client.call_tool("check_ip", {"addresses": ["203.0.113.9"]})
        await client.call_tool("check_ip", {"addresses": "wrong"})
        await client.call_tool(SECRET, {})
        await client.call_tool("rotate_key", {"reason": "scheduled"})
    await served.post("chekt_test_wrong", {})


def test_each_call_and_refusal_is_a_line_with_names_and_no_values(world: World, lines: Lines) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        async with serving(world) as served:
            await some_traffic(world, served)

    asyncio.run(scenario())
    first = lines.events("tool_call")[0]
    fields = {"principal": "app:shop", "tool": "check_ip", "arguments": ["addresses"], "result": "ok"}
    assert {name: first[name] for name in fields} == fields
    assert first["request_id"].startswith("req_")
    assert first["ms"] > 0
    assert [line["outcome"] for line in lines.events("refused")] == ["malformed_key"]
    assert "203.0.113.9" not in "".join(lines.texts)
    assert "FAKE" not in "".join(lines.texts)


async def exposed(served: Served) -> str:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{served.base}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return answer.text


def test_every_query_of_the_document_names_what_is_exposed(world: World) -> None:
    async def scenario() -> str:
        await world.add_app("shop", env="live")
        async with serving(world, metrics=True) as served:
            await some_traffic(world, served)
            return await exposed(served)

    text = asyncio.run(scenario())
    queries = re.findall(r"```promql\n(.*?)```", DOCUMENT, re.DOTALL)
    asked = {name for query in queries for name in re.findall(r"chekt_mcp_\w+", query)}
    assert len(queries) >= 3
    assert asked <= set(re.findall(r"^(chekt_mcp_\w+)", text, re.MULTILINE))
    assert 'chekt_mcp_tool_calls_total{tool="check_ip",result="ok"} 1' in text
    assert 'chekt_mcp_tool_calls_total{tool="check_ip",result="error"} 1' in text
    assert 'chekt_mcp_tool_calls_total{tool="unknown_tool",result="denied"} 1' in text
    assert 'chekt_mcp_refusals_total{code="invalid_api_key"} 1' in text
    assert "chekt_mcp_approvals_pending 1" in text
    assert "FAKE" not in text
    assert "shop" not in text


def test_every_field_that_a_log_query_of_the_document_asks_for_is_there(world: World, lines: Lines) -> None:
    async def scenario() -> None:
        await world.add_app("shop")
        async with serving(world) as served:
            await some_traffic(world, served)

    asyncio.run(scenario())
    queries = re.findall(r"```jq\n(.*?)```", DOCUMENT, re.DOTALL)
    assert queries
    for query in queries:
        event = re.findall(r'\.event == "(\w+)"', query)[0]
        assert set(re.findall(r"\.([a-z]\w*)", query)) <= set(lines.events(event)[0])


def test_metrics_are_off_unless_asked_for(world: World) -> None:
    async def scenario() -> int:
        async with serving(world) as served, httpx.AsyncClient(trust_env=False) as http:
            return (await http.get(f"{served.base}/metrics")).status_code

    assert asyncio.run(scenario()) == 404


class Mistaken(BearerTokens):
    """A verifier with a mistake in it."""

    async def judge(self, *_: Any, **__: Any) -> GrantedToken | Refused:
        raise ZeroDivisionError


def test_a_mistake_of_ours_is_counted_and_found_by_the_id_that_the_caller_was_told(world: World) -> None:
    async def scenario() -> None:
        verifier = Mistaken(world.storage, world.clock)
        async with serving(world, lambda _resource: verifier, metrics=True) as served:
            answer = await served.post("chekt_test_x", call("whoami"))
            async with httpx.AsyncClient(trust_env=False) as http:
                metrics = (await http.get(f"{served.base}/metrics")).text
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
        assert 'chekt_mcp_http_responses_total{status="5xx"} 1' in metrics
        assert 'chekt_mcp_refusals_total{code="internal_error"} 1' in metrics
        (entry,) = await world.entries("", dealer_wide=True, action="http_request")
        assert entry.request_id == answer.headers["x-request-id"]

    asyncio.run(scenario())


def test_a_histogram_counts_up_and_workers_add_up() -> None:
    metrics = Metrics(Labels(("t",), ("ok",), ()), processes=2)
    for process, seconds in enumerate([0.0005, 100.0]):
        metrics.be(process)
        metrics.count_call("t", "ok", seconds)
    metrics.count_refusal("made up")
    found = metrics.text(0).splitlines()
    assert 'chekt_mcp_tool_calls_total{tool="t",result="ok"} 2' in found
    assert [one for one in found if f'le="{BUCKETS[0]}"' in one or 'le="10.0"' in one or 'le="+Inf"' in one] == [
        'chekt_mcp_tool_seconds_bucket{tool="t",le="0.001"} 1',
        'chekt_mcp_tool_seconds_bucket{tool="t",le="10.0"} 1',
        'chekt_mcp_tool_seconds_bucket{tool="t",le="+Inf"} 2',
    ]
    assert 'chekt_mcp_tool_seconds_count{tool="t"} 2' in found
    assert 'chekt_mcp_refusals_total{code="other"} 1' in found


def test_a_span_says_how_the_call_ended_and_holds_no_text_of_the_client(world: World) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)

    async def scenario() -> None:
        await world.add_app("shop")
        async with serving(world) as served:
            await some_traffic(world, served)

    asyncio.run(scenario())
    served = [span for span in exporter.get_finished_spans() if span.kind is trace.SpanKind.SERVER]
    called = {span.name: dict(span.attributes or {}) for span in served if span.name.startswith("tools/call")}
    assert called["tools/call rotate_key"]["chekt_mcp.result"] == "ok"
    assert str(called["tools/call check_ip"]["chekt_mcp.request_id"]).startswith("req_")
    assert called["tools/call unknown_tool"]["gen_ai.tool.name"] == "unknown_tool"
    assert not any("FAKE" in str((span.name, span.attributes)) for span in served)
