"""Mirrors on the host, and the history that is taken from them."""
