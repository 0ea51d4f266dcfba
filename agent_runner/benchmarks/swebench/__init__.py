"""SWE-bench: its rows, its scripts, its verdicts, in the shapes of 4.x and 5.x."""
