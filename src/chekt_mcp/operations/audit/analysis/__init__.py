"""The parts of `analyze_audit_log`: facts, totals, findings and their evidence."""
