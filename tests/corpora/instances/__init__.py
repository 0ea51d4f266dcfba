"""Real instances without a forge, made from releases on PyPI, and patches that are wrong."""
