"""A property-based conformance suite for Twilio Conversations' account-level Configuration."""
