"""Explanations and fixes for a body that is not the one that was signed."""

from __future__ import annotations

from collections.abc import Mapping

from chekt_mcp.domain.webhook.advice import Advice
from chekt_mcp.domain.webhook.cause import Cause

_RAW = "Check the signature over the bytes of the request as they came, and parse the JSON only afterwards."
_RAW_CODE = (
    "body = await request.body()  # not json.dumps(await request.json())",
    'app.post("/webhooks/chekt", express.raw({ type: "*/*" }), handler)  // not JSON.stringify(req.body)',
)
_READ_ONCE = (
    "body = await request.body()  # once, before any form or JSON parser",
    'app.post("/webhooks/chekt", express.raw({ type: "*/*" }), handler)  // before app.use(express.json())',
)
_KEEP_BYTES = (
    "body = await request.body()  # bytes; no .decode(), no .strip()",
    "const body = req.body;  // a Buffer; no toString(), no trim()",
)
_SAVE_BYTES = (
    'pathlib.Path("delivery.json").write_bytes(body)',
    'fs.writeFileSync("delivery.json", body);  // body is a Buffer',
)

BODY_ADVICE: Mapping[Cause, Advice] = {
    Cause.BODY_RESERIALIZED: Advice(
        "The body was parsed and written out again: the signature fits the same JSON in another form.",
        _RAW,
        *_RAW_CODE,
    ),
    Cause.UNICODE_ESCAPED: Advice(
        "The body was written out again with \\u escapes where the signed body has the characters themselves.",
        _RAW,
        *_RAW_CODE,
    ),
    Cause.UNICODE_UNESCAPED: Advice(
        "The body was written out again with characters where the signed body has \\u escapes.", _RAW, *_RAW_CODE
    ),
    Cause.STRING_ESCAPING_CHANGED: Advice(
        "The body was written out again with other escapes in its strings than the signed one.", _RAW, *_RAW_CODE
    ),
    Cause.JSON_ENCODED_TWICE: Advice(
        "The body is JSON inside a JSON string: it was encoded twice.",
        "Do not encode the body again before it is checked or passed on.",
        "client.post(url, content=body)  # not json=body",
        "fetch(url, { method: 'POST', body })  // not JSON.stringify(body)",
    ),
    Cause.TRAILING_NEWLINE: Advice(
        "The body has a line break at its end that was not signed.",
        "Keep the body's bytes as they came; editors, `echo` and shells add a line break when they save.",
        *_SAVE_BYTES,
    ),
    Cause.NEWLINE_DROPPED: Advice(
        "The signed body ends in a line break that is missing here.",
        "Keep the body's bytes as they came; do not strip or trim them.",
        *_KEEP_BYTES,
    ),
    Cause.LINE_ENDINGS_CHANGED: Advice(
        "The line breaks in the body were changed between LF and CR LF.",
        "Read and write the body as bytes; text mode changes line breaks.",
        *_SAVE_BYTES,
    ),
    Cause.SURROUNDING_WHITESPACE: Advice(
        "There is white space around the body that was not signed.", "Keep the body's bytes as they came.", *_KEEP_BYTES
    ),
    Cause.BOM_ADDED: Advice(
        "A byte order mark was put before the body.",
        "Save and send the body without one: as UTF-8, not `utf-8-sig`.",
        *_SAVE_BYTES,
    ),
    Cause.BOM_DROPPED: Advice(
        "The signed body begins with a byte order mark that is missing here.", _RAW, *_KEEP_BYTES
    ),
    Cause.WRONG_CHARSET: Advice(
        "The body was decoded and encoded again with another character set than the signed bytes have.",
        "Never decode the body before the check.",
        *_KEEP_BYTES,
    ),
    Cause.UNDECODABLE_BYTES_REPLACED: Advice(
        "The body contains replacement characters, so it was probably decoded with the wrong character set.",
        "Never decode the body before the check; what was replaced cannot be brought back.",
        *_KEEP_BYTES,
    ),
    Cause.BODY_IN_BASE64: Advice(
        "The body is base64 of what was signed; gateways hand it over like that.",
        "Decode it once before the check.",
        'body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()',
        'const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8");',
    ),
    Cause.BODY_URL_ENCODED: Advice(
        "The body is the signed text in percent-encoding, as a form would send it.",
        "Read the raw body, not a form field, and send it on as application/json.",
        *_RAW_CODE,
    ),
    Cause.BODY_HTML_ESCAPED: Advice(
        "The body has HTML entities where the signed one has the characters themselves.",
        "Take the body from the request, not from a page or a template.",
        *_RAW_CODE,
    ),
    Cause.BODY_COMPRESSED: Advice(
        "The body is still compressed; the signature covers it as it is after decompression.",
        "Let the server decompress the body before the check, or tell the proxy not to compress requests.",
    ),
    Cause.BODY_EMPTY: Advice(
        "There is nothing in the body, and no such body was signed: probably it was read before or dropped on the way.",
        "Read the body once, keep the bytes, and check those.",
        *_READ_ONCE,
    ),
    Cause.BODY_REPLACED: Advice(
        "The body is an empty JSON value or a page, not an event: probably a parser or a proxy put it there.",
        "Read the raw body before any parser, and look for a proxy that answers or rewrites requests.",
        *_READ_ONCE,
    ),
    Cause.BODY_IS_PRINTED_OBJECT: Advice(
        "The body reads like a parsed object turned into text by the program, not like JSON.",
        _RAW,
        *_RAW_CODE,
    ),
    Cause.BODY_LENGTH_DIFFERS: Advice(
        "The body has another length than the Content-Length header says, so it was probably changed or cut.",
        "Compare the bytes received with the bytes checked; a limit or a rewrite lies between them.",
        *_KEEP_BYTES,
    ),
}
