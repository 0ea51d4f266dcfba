"""What models and servers do wrong with tool calls, and what can be made good without a guess."""
