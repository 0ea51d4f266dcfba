"""The images a workspace starts from, each on the one below."""
