"""Gives tests, ours and yours, fake environments and conformance checks."""
