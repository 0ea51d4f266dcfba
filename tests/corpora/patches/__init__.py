"""Real diffs between releases of public packages, damaged the way models damage them."""
