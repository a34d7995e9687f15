"""Following: how much a member hears of a group, and of a thread in it.

all      catch-up shows its threads; whatever is new makes a notice
threads  catch-up shows its threads; a notice is made by who names the member, answers them, or writes in a thread they follow
quiet    neither; whoever names the member still makes a notice

A thread is followed from the member's first post in it on, or by a button. One that is muted stands in no catch-up and
makes no notice, but for naming the member; writing in it does not undo that.
"""

from __future__ import annotations

LEVELS = ("all", "threads", "quiet")
USUAL_LEVEL = "threads"
FOLLOWED, MUTED, UNFOLLOWED = "follow", "mute", "none"
