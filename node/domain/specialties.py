"""Specialties: a short list that a node's operator chooses, and everybody's own words besides.

What is kept is a name of `KNOWN`, which pages say in the reader's language, or a text, which they show as it is.

Pure. Stored: the names of `KNOWN` may never change; more may come.
"""

from __future__ import annotations

KNOWN = (
    "general",
    "internal",
    "surgery",
    "anaesthesia",
    "emergency",
    "paediatrics",
    "gynaecology",
    "psychiatry",
    "neurology",
    "radiology",
    "pathology",
    "public_health",
    "cardiology",
    "dermatology",
    "geriatrics",
    "intensive_care",
    "oncology",
    "ophthalmology",
    "orthopaedics",
    "palliative_care",
    "urology",
)
# What the form calls "another one, in my own words".
OTHER = "other"
SPECIALTY_LIMIT = 80
_LIST_LIMIT = 60


def list_specialties(chosen: str) -> tuple[str, ...]:
    """Return what applicants choose from, each once, in the operator's order.

    >>> list_specialties("general, Sports medicine, , general")
    ('general', 'Sports medicine')
    """
    names = (name.strip()[:SPECIALTY_LIMIT].strip() for name in chosen.split(","))
    return tuple(dict.fromkeys(name for name in names if name and name != OTHER))[:_LIST_LIMIT]
