"""Makes the toy experiment importable in the tests of programs."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
