"""What the official suite tries on tools, prompts and resources of its own, which a server has to make for it.

Ours come from a gated catalogue, so there are none; what such a check finds is that its fixture is missing. Named by
the fixture, as the suite names it: the test holds that the suite knows it, and that nothing else is excused.
"""

from __future__ import annotations

IMAGE, AUDIO, EMBEDDED, MIXED = (
    "test_image_content",
    "test_audio_content",
    "test_embedded_resource",
    "test_multiple_content_types",
)
ROUNDS = "test_input_required_result_"

FIXTURES: dict[str, dict[str, str]] = {
    "completion-complete": {"completion-complete": "test_prompt_with_arguments"},
    "elicitation-sep1034-defaults": {"elicitation-sep1034-general": "test_elicitation_sep1034_defaults"},
    "elicitation-sep1330-enums": {"elicitation-sep1330-general": "test_elicitation_sep1330_enums"},
    "http-custom-header-server-validation": {
        "sep-2243-server-no-xmcp-tool": "x-mcp-header",
        "sep-2243-server-decode-base64": "x-mcp-header",
        "sep-2243-server-validate-param-match": "x-mcp-header",
        "sep-2243-server-reject-invalid-param-chars": "x-mcp-header",
        "sep-2243-server-reject-param-mismatch": "x-mcp-header",
    },
    "input-required-result-basic-elicitation": {"sep-2322-elicitation-incomplete": f"{ROUNDS}elicitation"},
    "input-required-result-basic-list-roots": {"sep-2322-list-roots-incomplete": f"{ROUNDS}list_roots"},
    "input-required-result-basic-sampling": {"sep-2322-sampling-incomplete": f"{ROUNDS}sampling"},
    "input-required-result-capability-check": {"sep-2322-respect-client-capabilities": f"{ROUNDS}capabilities"},
    "input-required-result-missing-input-response": {
        "sep-2322-missing-response-rerequests": f"{ROUNDS}elicitation",
    },
    "input-required-result-multi-round": {"sep-2322-multi-round-r1": f"{ROUNDS}multi_round"},
    "input-required-result-multiple-input-requests": {
        "sep-2322-multiple-inputs-incomplete": f"{ROUNDS}multiple_inputs",
    },
    "input-required-result-non-tool-request": {"sep-2322-non-tool-incomplete": f"{ROUNDS}prompt"},
    "input-required-result-request-state": {"sep-2322-request-state-incomplete": f"{ROUNDS}request_state"},
    "input-required-result-result-type": {"sep-2322-result-type-included": f"{ROUNDS}elicitation"},
    "input-required-result-tampered-state": {"sep-2322-reject-tampered-state": f"{ROUNDS}tampered_state"},
    "input-required-result-validate-input": {"sep-2322-error-on-protocol-error": f"{ROUNDS}elicitation"},
    "json-schema-2020-12": {"json-schema-2020-12-tool-found": "json_schema_2020_12_tool"},
    "logging-set-level": {"logging-set-level": "logging/setLevel"},
    "prompts-get-embedded-resource": {"prompts-get-embedded-resource": "test_prompt_with_embedded_resource"},
    "prompts-get-simple": {"prompts-get-simple": "test_simple_prompt"},
    "prompts-get-with-args": {"prompts-get-with-args": "test_prompt_with_arguments"},
    "prompts-get-with-image": {"prompts-get-with-image": "test_prompt_with_image"},
    "resources-read-binary": {"resources-read-binary": "test://static-binary"},
    "resources-read-text": {"resources-read-text": "test://static-text"},
    "resources-subscribe": {"resources-subscribe": "test://watched-resource"},
    "resources-templates-read": {"resources-templates-read": "test://template/123/data"},
    "resources-unsubscribe": {"resources-unsubscribe": "test://watched-resource"},
    "server-sse-polling": {
        "incoming-sse-event": "test_reconnection",
        "server-sse-priming-event": "test_reconnection",
        "server-sse-retry-field": "test_reconnection",
    },
    "server-stateless": {
        "sep-2575-server-rejects-undeclared-capability": "test_missing_capability",
        "sep-2575-missing-capability-http-400": "test_missing_capability",
        "sep-2575-server-sends-prompts-list-changed-on-subscription": "test_trigger_prompt_change",
        "sep-2575-server-sends-tools-list-changed-on-subscription": "test_trigger_tool_change",
    },
    "tools-call-audio": {"tools-call-audio": AUDIO},
    "tools-call-elicitation": {"tools-call-elicitation": "test_elicitation"},
    "tools-call-embedded-resource": {"tools-call-embedded-resource": EMBEDDED},
    "tools-call-image": {"tools-call-image": IMAGE},
    "tools-call-mixed-content": {"tools-call-mixed-content": MIXED},
    "tools-call-sampling": {"tools-call-sampling": "test_sampling"},
    "tools-call-with-logging": {"tools-call-with-logging": "test_tool_with_logging"},
    "tools-call-with-progress": {"tools-call-with-progress": "test_tool_with_progress"},
}
"""Scenario → check → the fixture that it misses here."""

NOT_SERVED: dict[str, str] = {
    "sep-2164-data-uri": "the address in the error's data: it is the caller's own text, which is not sent back",
}
"""Checks of a SHOULD that we decide otherwise, and why."""

EXTENSIONS = "tasks-"
"""Scenarios of an extension that is not offered; the suite does not score them either."""
