"""Runs an AutoGen agent on a software task in Docker and grades what it did."""

__version__ = "0.1.0"
