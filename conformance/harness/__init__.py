"""What drives a run: what is sent, in which order, and what becomes of the answers."""
