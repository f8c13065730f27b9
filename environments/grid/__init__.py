"""Implements the grid world of Cleanup and Harvest, one rule per file.

All state is dense: a kind of object (apples, waste) is one array over all
[rows, columns] of the map, never a list of sites, because XLA turns dense
arrays into vector instructions.
"""
