"""What ships for tests of agents: an OpenAI-compatible endpoint that plays scripts and fails."""
