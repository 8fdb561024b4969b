"""A folder of articles becomes an Issue; the Issue becomes an Edition (email, text and web, with personal slots);
an Edition and a Recipient become a Message; a Provider carries it; the Ledger remembers.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("newsletter")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0+checkout"
