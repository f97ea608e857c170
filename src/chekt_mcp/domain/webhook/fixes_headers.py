"""Explanations and fixes for what is wrong with the signed headers, or with what was handed over at all."""

from __future__ import annotations

from collections.abc import Mapping

from chekt_mcp.domain.webhook.advice import Advice
from chekt_mcp.domain.webhook.cause import Cause

_RAW_BODY = (
    "body = await request.body()  # bytes, before anything parses them",
    'app.post("/webhooks/chekt", express.raw({ type: "*/*" }), handler)  // req.body is a Buffer',
)
_HEADERS_AS_SENT = (
    "Pass both headers on exactly as they came; if you build the request yourself, send them as published."
)

HEADER_ADVICE: Mapping[Cause, Advice] = {
    Cause.NO_SIGNING_SECRET: Advice(
        "There is no live signing secret to check with: none is configured, it is empty, or its grace has ended.",
        "Configure the app's current signing secret (dealer portal: Settings, CHeKT Apps, the app, Security).",
    ),
    Cause.BODY_NOT_BYTES: Advice(
        "The body was not given as bytes: it was decoded or parsed before the signature could be checked.",
        "Hand over the bytes of the request as they came, and parse only after the check.",
        *_RAW_BODY,
    ),
    Cause.BODY_TOO_LARGE: Advice(
        "The body is larger than 1 MiB, the most that is checked; nothing was computed.",
        "Check that this is the body of one delivery and nothing else.",
    ),
    Cause.HEADERS_UNREADABLE: Advice(
        "The headers are neither a mapping of names to values nor a list of (name, value) pairs.",
        "Pass the request's headers as they are, for example `request.headers`.",
    ),
    Cause.SIGNATURE_HEADER_MISSING: Advice(
        "There is no X-CHeKT-Signature header, or it is empty.",
        "Check that this request came from CHeKT and that no proxy on the way drops X-CHeKT-… headers.",
    ),
    Cause.TIMESTAMP_HEADER_MISSING: Advice(
        "There is no X-CHeKT-Timestamp header, or it is empty.",
        "Check that no proxy on the way drops X-CHeKT-… headers; the timestamp is part of what is signed.",
    ),
    Cause.HEADER_REPEATED: Advice(
        "X-CHeKT-Signature or X-CHeKT-Timestamp is there more than once, so it is not clear which one counts.",
        "Find the proxy or code that adds the header a second time; the platform sends each once.",
    ),
    Cause.HEADER_NOT_TEXT: Advice(
        "X-CHeKT-Signature or X-CHeKT-Timestamp was given as something other than text.",
        "Pass each header's value as the string that came over the wire.",
    ),
    Cause.HEADER_HAS_WHITESPACE: Advice(
        "A signed header has white space around its value.",
        "Strip white space where the value is read; it was probably added when it was saved or copied.",
    ),
    Cause.HEADER_HAS_QUOTES: Advice(
        "A signed header has quotation marks around its value.",
        "Pass the bare value; the marks were probably added when it was saved or copied.",
    ),
    Cause.HEADERS_SWAPPED: Advice(
        "The values of X-CHeKT-Signature and X-CHeKT-Timestamp are in each other's place.",
        "Swap them back where the headers are read or passed on.",
        'signature, timestamp = headers["x-chekt-signature"], headers["x-chekt-timestamp"]',
        'const [signature, timestamp] = [req.get("X-CHeKT-Signature"), req.get("X-CHeKT-Timestamp")];',
    ),
    Cause.OLDER_SIGNATURE_HEADER: Advice(
        "The signature is in X-Webhook-Signature, over the body alone, as an older guide described. "
        "It is never accepted: without the timestamp in it, it does not stop replays.",
        "Follow the current scheme: X-CHeKT-Signature is the hex HMAC-SHA256 of `{timestamp}.{raw body}`.",
        'expected = hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()',
        'const expected = crypto.createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest("hex");',
    ),
    Cause.ONLY_OLDER_SIGNATURE_HEADER: Advice(
        "There is no X-CHeKT-Signature header, only an X-Webhook-Signature as an older guide described, and the "
        "configured secret did not make that one either.",
        "Have the sender sign by the current scheme, and compare the secrets on both sides.",
    ),
    Cause.SIGNATURE_PREFIXED: Advice(
        "The signature has a prefix such as `sha256=`; the platform sends 64 hex digits and nothing else.",
        "Send or pass on the hex digits alone.",
        'signature = mac.hexdigest()  # not "sha256=" + mac.hexdigest()',
        'const signature = mac.digest("hex");  // not "sha256=" + …',
    ),
    Cause.SIGNATURE_IN_BASE64: Advice(
        "The signature reads as base64; the platform sends it in hex.",
        "Write the signature in hex.",
        "signature = mac.hexdigest()  # not base64.b64encode(mac.digest())",
        'const signature = mac.digest("hex");  // not digest("base64")',
    ),
    Cause.SIGNATURE_CUT: Advice(
        "The signature is shorter than 64 hex digits: its end is missing.",
        "Look for a column, log line or variable that cuts the header's value.",
    ),
    Cause.SIGNATURE_TOO_LONG: Advice(
        "The signature has more than 64 hex digits.",
        "Pass on the 64 hex digits of the header and nothing after them; the hash is SHA-256.",
    ),
    Cause.SIGNATURE_NOT_HEX: Advice(
        "The signature is not made of hex digits.", "The header's value is 64 hex digits. " + _HEADERS_AS_SENT
    ),
    Cause.TIMESTAMP_IN_MILLISECONDS: Advice(
        "The timestamp has 13 digits, which reads as milliseconds; the platform sends whole seconds.",
        "Use whole seconds, in the header and in what is signed.",
        "timestamp = str(int(time.time()))",
        "const timestamp = Math.floor(Date.now() / 1000).toString();",
    ),
    Cause.TIMESTAMP_NOT_UNIX_SECONDS: Advice(
        "The timestamp is not unix time in whole seconds (1 to 12 digits 0-9, nothing else).", _HEADERS_AS_SENT
    ),
    Cause.TIMESTAMP_CUT: Advice(
        "The last digit of the timestamp is missing: the signature fits with one more digit.",
        "Look for a column, log line or variable that cuts the header's value.",
    ),
}
