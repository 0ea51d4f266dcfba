"""Batches of small tasks as whole command lines, and what kills them."""
