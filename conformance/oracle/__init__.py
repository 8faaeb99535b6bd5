"""The oracle: decides on inputs, and predicts the settings that answers must show. It does no I/O."""
