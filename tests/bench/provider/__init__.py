"""What a model call costs us, and what many episodes at once cost, over real HTTP on loopback."""
