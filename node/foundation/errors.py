"""One family of errors for the whole node.

NodeError                    code, safe sentence, internal sentence
├─ ConfigError               command line only, exit 2, lists every problem
├─ Refused                   somebody asked for what they may not have
│   ├─ Unauthenticated  401  SignatureMissing, SignatureInvalid, SignatureExpired, DigestMismatch, KeyUnavailable (KeyOutOfReach)
│   ├─ Malformed        400  the request cannot be read at all
│   ├─ Forbidden        403
│   ├─ NotFound         404
│   ├─ Conflict         409
│   ├─ Gone             410
│   ├─ TooLarge         413
│   ├─ UnsupportedType  415
│   ├─ Invalid          422
│   ├─ TooMany          429
│   └─ Unavailable      503  paused peer, too much at once; Recovering: a group that was restored
├─ ProtocolError             LocalProtocolError (we built it wrong), RemoteProtocolError (they sent it wrong)
│   └─ RemoteMalformed, OriginMismatch, UnsupportedActivity
├─ RemoteFailure             Unreachable (try later), Refusing (stop and tell the operator)
└─ StoreError                Busy (try again), Duplicate (uniqueness), SchemaTooNew (refuse to start)

Each error has a stable `code` for logs and tests, a *safe* sentence that may leave the process and an *internal*
one that goes to the log. Doors translate once; nothing else looks at `status`.
"""

from __future__ import annotations


class NodeError(Exception):
    """An error with a code, a sentence for the outside and a sentence for the log.

    Args:
        safe: A whole sentence that a stranger may read; the class's own sentence when empty.
        internal: What the log should say; never sent anywhere.
    """

    code = "error"
    status = 500
    sentence = "Something went wrong here. Nothing was changed."

    def __init__(self, safe: str = "", *, internal: str = "") -> None:
        self.safe = safe or self.sentence
        self.internal = internal or self.safe
        super().__init__(self.internal)


class ConfigError(NodeError):
    """The configuration cannot be used; `problems` lists every reason."""

    code = "config"
    sentence = "The configuration cannot be used."

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__(" ".join(problems))


class Refused(NodeError):
    """Somebody asked for what they may not have."""

    code = "refused"
    status = 403
    sentence = "This is not allowed."


class Unauthenticated(Refused):
    """We do not know who is asking."""

    code = "unauthenticated"
    status = 401
    sentence = "Please sign this request."


class SignatureMissing(Unauthenticated):
    """The request carries no signature."""

    code = "signature_missing"


class SignatureInvalid(Unauthenticated):
    """The signature does not fit the request, or covers too little of it."""

    code = "signature_invalid"


class SignatureExpired(Unauthenticated):
    """The signature is too old, or from the future."""

    code = "signature_expired"


class DigestMismatch(Unauthenticated):
    """The body is not the one that was signed."""

    code = "digest_mismatch"


class KeyUnavailable(Unauthenticated):
    """The key that signed cannot be had."""

    code = "key_unavailable"


class KeyOutOfReach(KeyUnavailable):
    """The key cannot be had now: the node that has it gives no answer."""

    code = "key_out_of_reach"


class Malformed(Refused):
    """The request cannot be read."""

    code = "malformed"
    status = 400
    sentence = "This request cannot be read."


class Forbidden(Refused):
    """Known, and not allowed."""

    code = "forbidden"


class NotFound(Refused):
    """Absent, or private: the two answer alike."""

    code = "not_found"
    status = 404
    sentence = "There is nothing here."


class Conflict(Refused):
    """The state of things does not permit it now."""

    code = "conflict"
    status = 409
    sentence = "This does not fit what is here already."


class Gone(Refused):
    """It was here and was taken away."""

    code = "gone"
    status = 410
    sentence = "This was taken away."


class TooLarge(Refused):
    """More bytes than we read."""

    code = "too_large"
    status = 413
    sentence = "This is too large."


class UnsupportedType(Refused):
    """A media type we do not take."""

    code = "unsupported_type"
    status = 415
    sentence = "This media type is not taken here."


class Invalid(Refused):
    """A form or document with a value that cannot be used."""

    code = "invalid"
    status = 422
    sentence = "Something in this form is not right."


class TooMany(Refused):
    """Too much at once; `retry_after_seconds` says when to come back."""

    code = "too_many"
    status = 429
    sentence = "Too much at once. Please try again in a moment."

    def __init__(self, safe: str = "", *, internal: str = "", retry_after_seconds: int = 5) -> None:
        super().__init__(safe, internal=internal)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(Refused):
    """Not now; `retry_after_seconds` says when to come back."""

    code = "unavailable"
    status = 503
    sentence = "Not now. Please try again later."

    def __init__(self, safe: str = "", *, internal: str = "", retry_after_seconds: int = 60) -> None:
        super().__init__(safe, internal=internal)
        self.retry_after_seconds = retry_after_seconds


class Recovering(Unavailable):
    """A group hosted here was restored and asks its members' nodes for what it lost; nothing gets a number meanwhile."""

    code = "recovering"
    sentence = "This group was restored from a backup and is asking the other nodes for what is missing. Please try again soon."


class ProtocolError(NodeError):
    """A message of the protocol is wrong."""

    code = "protocol"
    status = 400
    sentence = "This message does not follow the protocol."


class LocalProtocolError(ProtocolError):
    """We were about to send something wrong: our mistake."""

    code = "local_protocol"
    status = 500


class RemoteProtocolError(ProtocolError):
    """They sent something wrong."""

    code = "remote_protocol"


class RemoteMalformed(RemoteProtocolError):
    """A remote document cannot be read."""

    code = "remote_malformed"


class OriginMismatch(RemoteProtocolError):
    """An id does not belong to the origin that speaks of it."""

    code = "origin_mismatch"


class UnsupportedActivity(RemoteProtocolError):
    """A verb or object we do not take."""

    code = "unsupported_activity"


class RemoteFailure(NodeError):
    """Another node did not do what we asked."""

    code = "remote_failure"
    status = 502
    sentence = "The other node did not answer as expected."


class Unreachable(RemoteFailure):
    """Try later: no connection, time-out, 5xx."""

    code = "unreachable"


class Refusing(RemoteFailure):
    """Stop and tell the operator: the other node says no."""

    code = "refusing"

    def __init__(self, safe: str = "", *, internal: str = "", remote_status: int = 0) -> None:
        super().__init__(safe, internal=internal)
        self.remote_status = remote_status


class StoreError(NodeError):
    """The store could not do it."""

    code = "store"


class Busy(StoreError):
    """Too much is waiting, or the disk is full; try again."""

    code = "busy"
    status = 503
    sentence = "The node is busy. Please try again in a moment."


class Duplicate(StoreError):
    """A row with this key exists."""

    code = "duplicate"
    status = 409
    sentence = "This exists already."


class SchemaTooNew(StoreError):
    """The database was made by a newer release."""

    code = "schema_too_new"
    sentence = "This database was written by a newer release of Rounds. Install that release, or restore a backup."
