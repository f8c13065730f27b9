"""Makes `tiny`, and `two_ways` of the rollouts, importable."""

import pathlib
import sys

_HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / 'rollouts')]
