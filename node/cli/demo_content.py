"""What the demonstration is about: invented people, real themes. Nobody here exists; nothing here is advice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the demonstration. node: "society" or "hospital"."""

    node: str
    handle: str
    name: str
    role: str = "member"
    member_class: str = "physician"


@dataclass(frozen=True, slots=True)
class Circle:
    """A group of the demonstration. owner: a handle on its own node. members: (node, handle, reason to join)."""

    node: str
    handle: str
    title: str
    policy: str
    purpose: str
    owner: str
    members: tuple[tuple[str, str, str], ...]
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """A post of the demonstration. key: names it for replies. answers: of a poll."""

    key: str
    group: str
    author: str
    text: str
    title: str = ""
    reply_to: str = ""
    answers: tuple[str, ...] = ()


PEOPLE = (
    Person("society", "ola", "Ola Lindqvist", "operator", "guest"),
    Person("society", "ana", "Ana Moreau"),
    Person("society", "dee", "Deirdre Walsh"),
    Person("society", "tomas", "Tomas Hale", member_class="retired"),
    Person("hospital", "per", "Per Aasen", "operator", "guest"),
    Person("hospital", "ben", "Ben Okafor"),
    Person("hospital", "chi", "Chiara Vento", member_class="resident"),
    Person("hospital", "ruth", "Ruth Feldman"),
)

CIRCLES = (
    Circle(
        "society",
        "trouble",
        "A career in trouble",
        "request",
        "For colleagues facing a board, a peer review or a contract that ends. Slow talk, sources, no legal advice.",
        "dee",
        (
            ("society", "ana", ""),
            ("society", "tomas", ""),
            ("hospital", "ben", "I am in a peer review since March and would rather not be alone with it."),
        ),
    ),
    Circle(
        "society",
        "emr",
        "The record and the patient",
        "request",
        "What the electronic record does to our days, and what has helped anybody.",
        "ana",
        (
            ("society", "dee", ""),
            ("hospital", "ruth", "Two hours of inbox every night. I want to hear what others tried."),
            ("hospital", "chi", "Resident, first year with this record system."),
        ),
    ),
    Circle(
        "society",
        "rural",
        "Practice far from everywhere",
        "request",
        "Small places, long roads, few colleagues.",
        "tomas",
        (("society", "ana", ""), ("hospital", "ruth", "I cover a clinic two hours out every other week.")),
    ),
    Circle(
        "hospital",
        "residents",
        "Residents and those who were",
        "request",
        "Training as it is. What is said here is not seen by programme directors.",
        "chi",
        (("hospital", "ben", ""), ("society", "tomas", "Forty years ago I nearly left in my second year.")),
    ),
)

WORDS = (
    Words(
        "trouble-1",
        "trouble",
        "dee",
        "This is a place to think, not to be judged. Please write nothing about an open case that you would not want "
        "read aloud, and name no colleague. Two things that helped people here:\n\n"
        "1. Ask your lawyer what you may write down *before* you write it.\n"
        "2. Tell one person outside work today.\n",
        "Read this first",
    ),
    Words(
        "trouble-2",
        "trouble",
        "ben",
        "A letter came in March. Since then I read every note I write as if a stranger were reading over my shoulder. "
        "Nothing has been decided. I operate, I sleep badly, I tell nobody at the hospital.\n\n"
        "How did you get through the months in which nothing happens?",
        "The months in which nothing happens",
    ),
    Words(
        "trouble-3",
        "trouble",
        "tomas",
        "Mine took nineteen months. What I would do again: a fixed hour a week for it, with the door closed, and not a "
        "minute outside that hour. What I would not do again: keep it from my wife until the hearing.",
        reply_to="trouble-2",
    ),
    Words(
        "trouble-4",
        "trouble",
        "ana",
        "I would add a small one. I asked a colleague from another town to call me every second Sunday. We did not "
        "speak of the case. That was the point.",
        reply_to="trouble-2",
    ),
    Words(
        "trouble-5",
        "trouble",
        "ben",
        "Thank you both. I have told my brother tonight. The door-closed hour starts on Tuesday.",
        reply_to="trouble-3",
    ),
    Words(
        "emr-1",
        "emr",
        "ana",
        "I counted for a fortnight: 41 % of my clinic day is the record, and most of that is clicking past warnings "
        "that nobody I know has ever needed.\n\nHas anybody got warnings switched off, and how did you argue for it?",
        "Forty-one per cent of my day",
    ),
    Words(
        "emr-2",
        "emr",
        "ruth",
        "We did, for eleven of them. We exported how often each fired and how often anything was changed because of "
        "it. The committee read one table:\n\n"
        "| warning | fired | changed something |\n|---|---|---|\n| duplicate analgesic | 4,212 | 9 |\n"
        "| renal dose | 610 | 148 |\n\nThe first is gone, the second stayed, and people read it again.",
        reply_to="emr-1",
    ),
    Words(
        "emr-3",
        "emr",
        "chi",
        "From below: nobody ever told us that a warning *can* be questioned. We learn to click. Could you post the "
        "query, without the numbers?",
        reply_to="emr-2",
    ),
    Words("emr-4", "emr", "dee", "And then bring it to the spring meeting, please. I will chair it.", reply_to="emr-2"),
    Words(
        "emr-5",
        "emr",
        "ruth",
        "I would like to bring one warning to the committee on Thursday, with your numbers behind it. Which one first?",
        "One warning for Thursday",
        answers=("Duplicate analgesic", "Allergy, unconfirmed", "Renal dose", "None: leave them as they are"),
    ),
    Words(
        "rural-1",
        "rural",
        "tomas",
        "The helicopter did not fly on Saturday. Fog. I had the district nurse, a telephone and a textbook from 1998, "
        "and it went well, and I have been shaking since Sunday.\n\nI do not need advice. I wanted to tell somebody who "
        "knows what fog is.",
        "Fog",
    ),
    Words(
        "rural-2",
        "rural",
        "ruth",
        "I know what fog is. My second winter out there I drove behind the snow plough for three hours with a man who "
        "kept apologising. Call me if the nights get long; I am up at five anyway.",
        reply_to="rural-1",
    ),
    Words("rural-3", "rural", "ana", "I am glad you told us. And that you had that nurse.", reply_to="rural-1"),
    Words(
        "residents-1",
        "residents",
        "chi",
        "On paper I had a day off yesterday. In the building I was from six to eleven. Who decided that this is how one "
        "learns, and has anybody here ever said no?",
        "A day off, on paper",
    ),
    Words(
        "residents-2",
        "residents",
        "tomas",
        "I said no once, in 1983, to a man who is now a street name. He was astonished, and then he gave me the Sunday. "
        "Nobody had asked him before. It does not always go like that; it went like that once.",
        reply_to="residents-1",
    ),
    Words(
        "residents-3",
        "residents",
        "ben",
        "I am one of those who make the rota now. Show me the two rotas side by side, the paper and the building, "
        "without names, and I will put them on the table on Thursday.",
        reply_to="residents-1",
    ),
)

MESSAGE = (
    "society",
    "tomas",
    "ben@{hospital}",
    "Tuesday at eight, then. I have the number. You need not say anything.",
)
