"""Nouns and pure rules: who is who, who may read, who may write. No I/O."""
