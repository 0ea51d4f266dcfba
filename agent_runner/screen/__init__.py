"""What many things at once show a person: lines, and on a terminal a table below them."""
