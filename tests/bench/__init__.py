"""Measured times: `python -m tests.bench`, which is `make bench`."""
