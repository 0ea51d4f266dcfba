"""Where layers are made: containers that no agent ever gets."""
