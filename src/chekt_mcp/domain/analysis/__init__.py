"""What is unusual in a window of the audit log, held against what came before. See docs/analysis.md."""
