"""Verification: members ask to be verified, verifiers decide, and what was decided is stated, renewed and ended."""
