"""The programs for other tools in docs/database.md give what they say, for each tool that is installed here."""

import sys
import tempfile

import one_liners

with tempfile.TemporaryDirectory() as folder:
    missing = one_liners.check(folder, sys.executable)
    if missing:
        print("not tried, not installed here:", ", ".join(missing))
