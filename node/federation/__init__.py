"""The protocol: signatures, documents, origin rules, the group log, the signed client. No web framework, no database."""
