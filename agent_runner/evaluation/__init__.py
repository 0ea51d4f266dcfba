"""An evaluation: many predictions, from anywhere, each with a verdict."""
