"""Explanations and fixes for a signature made over another text, with another secret, or at another time."""

from __future__ import annotations

from collections.abc import Mapping

from chekt_mcp.domain.webhook.advice import Advice
from chekt_mcp.domain.webhook.cause import Cause

_PUBLISHED_TEXT = (
    'expected = hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()',
    'const expected = crypto.createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest("hex");',
)
_SIGN_AS_PUBLISHED = "Sign `{timestamp}.{raw body}`, with the same timestamp as in X-CHeKT-Timestamp."
_WHOLE_SECRET = (
    'secret = os.environ["CHEKT_WEBHOOK_SECRET"].encode()',
    'const mac = crypto.createHmac("sha256", process.env.CHEKT_WEBHOOK_SECRET);',
)

SIGNED_TEXT_ADVICE: Mapping[Cause, Advice] = {
    Cause.SIGNATURE_MISMATCH: Advice(
        "The signature does not fit: the body, the timestamp or the secret is not the one it was made with.",
        "Check in this order: the raw bytes of the body, the app's current signing secret, the timestamp header.",
    ),
    Cause.TIMESTAMP_NOT_SIGNED: Advice(
        "The signature covers the body alone, as one of the platform's guides describes; the timestamp is not in "
        "it, so it does not stop replays and is never accepted.",
        _SIGN_AS_PUBLISHED,
        *_PUBLISHED_TEXT,
    ),
    Cause.SEPARATOR_NOT_SIGNED: Advice(
        "The signature covers timestamp and body without the dot between them.", _SIGN_AS_PUBLISHED, *_PUBLISHED_TEXT
    ),
    Cause.SIGNED_TEXT_REORDERED: Advice(
        "The signature covers the body first and the timestamp after it.", _SIGN_AS_PUBLISHED, *_PUBLISHED_TEXT
    ),
    Cause.MILLISECONDS_SIGNED: Advice(
        "The signed text has the timestamp in milliseconds while the header has it in seconds.",
        _SIGN_AS_PUBLISHED,
        *_PUBLISHED_TEXT,
    ),
    Cause.EVENT_ID_SIGNED: Advice(
        "The signature also covers an id header, as the Standard Webhooks scheme does; this scheme does not.",
        _SIGN_AS_PUBLISHED,
        *_PUBLISHED_TEXT,
    ),
    Cause.EMPTY_BODY_SIGNED: Advice(
        "The signature fits an empty body, or `{}`, instead of the one given: it was made before the body was set.",
        "Sign the bytes that are sent, after they are final.",
        "body = json.dumps(event).encode(); send(body, sign(body))  # sign and send the same bytes",
        "const body = JSON.stringify(event); send(body, sign(body));  // sign and send the same string",
    ),
}

SECRET_ADVICE: Mapping[Cause, Advice] = {
    Cause.SECRET_HAS_WHITESPACE: Advice(
        "The configured secret has white space or a line break around it; without it the signature fits.",
        "Store the secret without it: a file written by `echo` ends in a newline, use `printf %s`.",
        'secret = os.environ["CHEKT_WEBHOOK_SECRET"].strip()',
        "const secret = process.env.CHEKT_WEBHOOK_SECRET.trim();",
    ),
    Cause.SECRET_HAS_QUOTES: Advice(
        "The configured secret has quotation marks around it; without them the signature fits.",
        "Store the secret without quotation marks: some tools (docker --env-file) take them literally.",
    ),
    Cause.SECRET_PREFIX_MISSING: Advice(
        "The configured secret lacks its `chekt_whsec_…_` prefix; with it the signature fits.",
        "Configure the whole secret as the portal shows it; the prefix is part of it.",
    ),
    Cause.SECRET_DECODED_BY_SIGNER: Advice(
        "The signature was made with only a part of the secret, or with its decoded form, as other platforms do it.",
        "Use the UTF-8 bytes of the whole secret as the key, prefix included; decode nothing.",
        *_WHOLE_SECRET,
    ),
    Cause.SIGNERS_SECRET_HAS_NEWLINE: Advice(
        "The signature was made with the secret and a line break after it.",
        "Strip the secret where the sender reads it.",
        'secret = open(path).read().rstrip("\\n").encode()',
        'const secret = fs.readFileSync(path, "utf8").trimEnd();',
    ),
    Cause.PREVIOUS_SECRET_EXPIRED: Advice(
        "The signature was made with the previous signing secret, whose grace has ended.",
        "The sender still uses the old secret: give it the current one. Such deliveries stay refused.",
    ),
    Cause.OTHER_APPS_SECRET: Advice(
        "The signature was made with the signing secret of another of your apps.",
        "Send that app's deliveries to its own endpoint, or check them with its own secret.",
    ),
    Cause.SECRET_IS_AN_API_KEY: Advice(
        "The configured secret has the form of an API key, so it is probably the wrong credential.",
        "Configure the signing secret (it begins with `chekt_whsec_`); the API key signs nothing.",
    ),
    Cause.SECRET_IS_A_PLACEHOLDER: Advice(
        "The configured secret reads like a variable that was never filled in, so it is probably not the secret.",
        "Check how the secret gets into the configuration, and that the variable is expanded.",
    ),
}

CLOCK_ADVICE: Mapping[Cause, Advice] = {
    Cause.TIMESTAMP_TOO_OLD: Advice(
        "The signature is genuine, but the timestamp is older than the window allows.",
        "If it was just received, check this machine's clock (NTP); if it is looked at later, say when it was "
        "received.",
    ),
    Cause.TIMESTAMP_IN_FUTURE: Advice(
        "The signature is genuine, but the timestamp is further ahead of this clock than the window allows.",
        "Check this machine's clock (NTP): the sender's and this one disagree.",
    ),
    Cause.LOOKED_AT_LATER: Advice(
        "The signature is genuine; the timestamp is outside the window now and was inside it when received."
    ),
    Cause.LATE_RETRY: Advice(
        "The signature is genuine and the timestamp too old; the attempt header says this is a repeated attempt, so "
        "it is probably a retry that kept the timestamp of the first one.",
        "Find out why the earlier attempts were not answered with 2xx within 30 s; do not widen the window.",
    ),
    Cause.CLOCK_SKEW: Advice(
        "The signature is genuine, but the sender's clock and this one do not agree.",
        "Set this machine's clock by NTP, and take the time in UTC.",
        "now = time.time()  # never datetime.utcnow().timestamp(), which shifts by the local offset",
        "const now = Math.floor(Date.now() / 1000);",
    ),
    Cause.DELIVERED_BEFORE: Advice(
        "The signature is genuine and fresh, but this very delivery (same timestamp, same body) was seen before.",
        "Answer it with 200 and do nothing: it is a retry already dealt with, or a replay.",
    ),
}
