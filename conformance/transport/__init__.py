"""The one door to the network: connections, pacing, credentials and redaction."""
