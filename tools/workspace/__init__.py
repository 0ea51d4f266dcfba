"""The container a task is solved in, and everything it is made from. Knows nothing of agents."""
