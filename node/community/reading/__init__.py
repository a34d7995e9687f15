"""Reading: what is new, what a group holds, one thread, and how far a member has come in each."""
