"""Polls: questions in a group, voted on by its members and counted by its host."""
