"""Why a delivery was not accepted: one stable code per cause, for programs, filters and the audit log.

A code is only given for what is known: read off the headers, or proven by recomputing the signature. Where
it is neither, the wording says "probably" and `Diagnosis.proven` is false.
"""

# ruff: noqa: S105  names of causes, not secrets

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """What is wrong. The sentences and fixes are in `fixes_*.py`, one entry for every code."""

    # Nothing could be computed
    NO_SIGNING_SECRET = "no_signing_secret"
    BODY_NOT_BYTES = "body_not_bytes"
    BODY_TOO_LARGE = "body_too_large"
    HEADERS_UNREADABLE = "headers_unreadable"

    # The two signed headers, as they came
    SIGNATURE_HEADER_MISSING = "signature_header_missing"
    TIMESTAMP_HEADER_MISSING = "timestamp_header_missing"
    HEADER_REPEATED = "header_repeated"
    HEADER_NOT_TEXT = "header_not_text"
    HEADER_HAS_WHITESPACE = "header_has_whitespace"
    HEADER_HAS_QUOTES = "header_has_quotes"
    HEADERS_SWAPPED = "headers_swapped"
    OLDER_SIGNATURE_HEADER = "older_signature_header"
    ONLY_OLDER_SIGNATURE_HEADER = "only_older_signature_header"
    SIGNATURE_PREFIXED = "signature_prefixed"
    SIGNATURE_IN_BASE64 = "signature_in_base64"
    SIGNATURE_CUT = "signature_cut"
    SIGNATURE_TOO_LONG = "signature_too_long"
    SIGNATURE_NOT_HEX = "signature_not_hex"
    TIMESTAMP_IN_MILLISECONDS = "timestamp_in_milliseconds"
    TIMESTAMP_NOT_UNIX_SECONDS = "timestamp_not_unix_seconds"
    TIMESTAMP_CUT = "timestamp_cut"

    # What was signed
    SIGNATURE_MISMATCH = "signature_mismatch"
    TIMESTAMP_NOT_SIGNED = "timestamp_not_signed"
    SEPARATOR_NOT_SIGNED = "separator_not_signed"
    SIGNED_TEXT_REORDERED = "signed_text_reordered"
    MILLISECONDS_SIGNED = "milliseconds_signed"
    EVENT_ID_SIGNED = "event_id_signed"
    EMPTY_BODY_SIGNED = "empty_body_signed"

    # Which secret
    SECRET_HAS_WHITESPACE = "secret_has_whitespace"
    SECRET_HAS_QUOTES = "secret_has_quotes"
    SECRET_PREFIX_MISSING = "secret_prefix_missing"
    SECRET_DECODED_BY_SIGNER = "secret_decoded_by_signer"
    SIGNERS_SECRET_HAS_NEWLINE = "signers_secret_has_newline"
    PREVIOUS_SECRET_EXPIRED = "previous_secret_expired"
    OTHER_APPS_SECRET = "other_apps_secret"
    SECRET_IS_AN_API_KEY = "secret_is_an_api_key"
    SECRET_IS_A_PLACEHOLDER = "secret_is_a_placeholder"

    # The body on its way
    BODY_RESERIALIZED = "body_reserialized"
    UNICODE_ESCAPED = "unicode_escaped"
    UNICODE_UNESCAPED = "unicode_unescaped"
    STRING_ESCAPING_CHANGED = "string_escaping_changed"
    JSON_ENCODED_TWICE = "json_encoded_twice"
    TRAILING_NEWLINE = "trailing_newline"
    NEWLINE_DROPPED = "newline_dropped"
    LINE_ENDINGS_CHANGED = "line_endings_changed"
    SURROUNDING_WHITESPACE = "surrounding_whitespace"
    BOM_ADDED = "bom_added"
    BOM_DROPPED = "bom_dropped"
    WRONG_CHARSET = "wrong_charset"
    UNDECODABLE_BYTES_REPLACED = "undecodable_bytes_replaced"
    BODY_IN_BASE64 = "body_in_base64"
    BODY_URL_ENCODED = "body_url_encoded"
    BODY_HTML_ESCAPED = "body_html_escaped"
    BODY_COMPRESSED = "body_compressed"
    BODY_EMPTY = "body_empty"
    BODY_REPLACED = "body_replaced"
    BODY_IS_PRINTED_OBJECT = "body_is_printed_object"
    BODY_LENGTH_DIFFERS = "body_length_differs"

    # When
    TIMESTAMP_TOO_OLD = "timestamp_too_old"
    TIMESTAMP_IN_FUTURE = "timestamp_in_future"
    LOOKED_AT_LATER = "looked_at_later"
    LATE_RETRY = "late_retry"
    CLOCK_SKEW = "clock_skew"
    DELIVERED_BEFORE = "delivered_before"
