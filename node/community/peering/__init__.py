"""Peers: adding, comparing fingerprints, pausing, parting. The operator's room."""
