"""What an environment holds: from requirements as of a date to an installation."""
