"""One contestant in a process of its own: `python -m benchmarks.contestant CONTEST NAME SETTING`.

Its last line on standard output is what it measured, as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks.contests import CONTESTS
from benchmarks.measurement import Setting

_FOLDERS = ("data_root", "model", "work", "decoder")


def main(contest: str, name: str, fields: str) -> None:
    """Run it and print what was measured."""
    values = json.loads(fields)
    folders = {name: Path(values[name]) for name in _FOLDERS if values[name]}
    measurement = CONTESTS[contest].contestants[name](Setting(**values | folders))
    print(json.dumps(asdict(measurement)))


if __name__ == "__main__":
    main(*sys.argv[1:])
