"""The grid world under Cleanup and Harvest: one rule a file.

Everything is laid out dense: a kind of thing (apples, waste) is one array over
all [rows, columns] of the map, never a list of sites, because that is what XLA
turns into vector instructions.
"""
