"""What the document says of an input, and what must be shown afterwards: pure functions and values."""
