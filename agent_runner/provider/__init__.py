"""The model client: Chutes and any other OpenAI-compatible endpoint, non-streaming."""
