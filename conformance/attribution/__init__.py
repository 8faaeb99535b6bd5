"""What a deviation is put down to, and what follows from what: pure, from the metadata of the rules."""
