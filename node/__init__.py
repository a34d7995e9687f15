"""Rounds: a federated ActivityPub community node for physicians."""

__version__ = "0.1.0"
