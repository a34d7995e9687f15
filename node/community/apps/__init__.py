"""Apps: what members let in to their accounts, and what it gets."""
