"""Tokens and money: what a request may cost, and whether there is enough left for it."""
