"""Images: which ones a task is run in, how many are made at once, and what of them stays."""
