"""Attributes deviations to causes, and says which follow from which. It is pure, and reads the rules' metadata."""
