"""Where episodes run: an order goes in and a result comes out, both plain data."""
