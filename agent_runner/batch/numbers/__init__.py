"""What a batch came to: from the lines of `results.jsonl` to numbers a person can publish."""
