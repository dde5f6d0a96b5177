"""Makes the plugin importable from the source tree as well as installed."""

import sys
from importlib.util import find_spec
from pathlib import Path

if find_spec("xharness_mini") is None:
    sys.path.insert(0, str(Path(__file__).parents[2] / "plugins"))
