"""All measurements: `make bench`. Ratios against peers in the same run; the machine should be idle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PARTS = {
    "serve.py": "start-up and one audited call, against an SDK server with one empty tool",
    "over_http.py": "the same call over HTTP, one client and 32, against an empty SDK server and FastMCP",
    "allow_list.py": "addresses against a list, against ipaddress, netaddr, pytricia and py-radix",
    "preview.py": "previews of a list on a log of a million entries: a second at most",
    "append.py": "appends to a log of a million entries, in batches and one by one, against a bare insert",
    "analyze.py": "a day against a month in a long log: 100 ms at most; what its summaries cost an append",
    "search.py": "a page of a search, by kind of question, on a log of 100,000 entries or as many as named",
    "correlate.py": "request ids of an application's log against a log of a million entries",
    "import_log.py": "an export of a million rows imported, twice, while another process appends: 25,000 rows/s",
    "export.py": "exports of a million entries, against a bare scan, and their memory",
    "webhook.py": "verifications, against bare SHA-256, standardwebhooks and stripe",
}


def main() -> int:
    """Run every part; 1 when one of them could not run."""
    failed = 0
    for name, what in PARTS.items():
        print(f"\n== {name}: {what}", flush=True)
        failed |= subprocess.run([sys.executable, str(Path(__file__).parent / name)], check=False).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
