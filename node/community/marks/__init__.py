"""Marks: bookmarks, which nobody hears of, and private thanks, which the author alone hears of."""
