"""What tests need, ours and yours: fakes, oracles and conformance checks."""
