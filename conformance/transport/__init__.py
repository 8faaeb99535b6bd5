"""The only way to the network: connections, pacing, credentials and redaction."""
