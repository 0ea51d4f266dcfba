"""Requests to one endpoint: how many at once, when none, and who is next."""
