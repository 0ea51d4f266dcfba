"""What a batch costs beside its episodes."""
