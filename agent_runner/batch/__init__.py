"""Many episodes: chosen, run side by side, journalled as they end, summed up."""
