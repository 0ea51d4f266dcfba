"""How commands reach a container: over the engine, or over init."""
