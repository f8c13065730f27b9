"""Makes `real_run` importable in the tests of rollouts."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
