"""HTTP signatures in both dialects, and the keys that make them; `cryptography` lives here and in `integrity.py` only.

keys     what a key is, how it is read, written, sealed and compared
base58   the alphabet in which Ed25519 keys and proofs are written
digest   the header that ties a body to a signature
cavage   draft-cavage-http-signatures-12, spoken by all of the fediverse
rfc9421  RFC 9421, spoken between our own nodes
claims   what a signed request claims, before anybody believed it
verify   the order of checks, and the one place that makes a `VerifiedRequest`
"""
