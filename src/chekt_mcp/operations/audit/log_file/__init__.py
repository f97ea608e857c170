"""Reading logs that others wrote, row by row in constant memory: CSV, JSON and JSON lines.

Nothing in a file is an exception: what cannot be read is a `RowProblem` with its line, and reading goes on with
the next row. Where the next row begins is taken from the format's own rules (quotes, brackets) as long as they
hold, so that a text inside a value cannot pass for a row.
"""
