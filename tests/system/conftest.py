"""Makes `tabular` importable in the tests of the system."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
