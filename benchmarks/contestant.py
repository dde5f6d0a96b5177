"""One contestant in a process of its own: `python -m benchmarks.contestant CONTEST NAME SETTING`.

Its last line on standard output is what it measured, as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks.contests import CONTESTS
from benchmarks.measured import Setting

_FOLDERS = ("data_root", "model", "work", "decoder")


def main(contest: str, name: str, setting: str) -> None:
    """Run it and print what was measured."""
    given = json.loads(setting)
    told = Setting(**given | {name: Path(given[name]) for name in _FOLDERS if given[name]})
    measured = CONTESTS[contest].contestants[name](told)
    print(json.dumps(asdict(measured)))


if __name__ == "__main__":
    main(*sys.argv[1:])
