"""The smallest call of every tool that reaches its work."""

from __future__ import annotations

MINIMAL: dict[str, dict[str, object]] = {
    "whoami": {},
    "check_ip": {"addresses": ["203.0.113.7"]},
    "get_allow_list": {},
    "preview_allow_list": {"entries": "203.0.113.0/24"},
    "update_allow_list": {"entries": "203.0.113.0/24", "reason": "test"},
    "verify_webhook": {"headers": {}, "body": "{}"},
    "check_webhook_endpoint": {"url": "http://hooks.example.com/chekt"},
    "get_key_status": {},
    "rotate_key": {"reason": "scheduled"},
    "revoke_previous_key": {},
    "search_audit_log": {},
    "export_audit_log": {},
    "verify_audit_log": {},
    "analyze_audit_log": {},
    "correlate_requests": {"request_ids": ["req_8f2k1m9x"]},
}
