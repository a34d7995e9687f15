"""What a browser is called: the long line that it sends of itself, in two words that somebody recognises."""

from __future__ import annotations

# In this order: Edge says that it is Chrome, Chrome that it is Safari, and an iPhone that it is a Mac.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_MACHINES = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def name_browser(agent: str) -> str:
    """Return what a browser is and what it runs on; what is not known stays as it was sent.

    >>> name_browser("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    'Firefox, Linux'
    >>> name_browser("curl/8.5.0")
    'curl/8.5.0'
    """
    browser = next((name for sign, name in _BROWSERS if sign in agent), "")
    machine = next((name for sign, name in _MACHINES if sign in agent), "")
    return ", ".join(filter(None, (browser, machine))) if browser else agent
