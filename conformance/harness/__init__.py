"""Drives a run: sends requests in order, has the answers judged, and makes findings and verdicts of them."""
