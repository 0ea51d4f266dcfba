"""What a batch shows: to people a table or lines, to machines events, and `run.log`."""
