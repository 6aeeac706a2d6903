"""Trial tests: fast, deterministic, without sleeps."""
