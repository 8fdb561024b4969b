"""A folder of articles becomes an Issue; the Issue becomes an Edition (email, text and web, with personal slots);
an Edition and a Recipient become a Message; a Provider carries it; the Ledger remembers.
"""


def __getattr__(name: str) -> str:
    """`__version__`, looked up only when it is asked for."""
    if name != "__version__":
        raise AttributeError(name)
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("newsletter")
    except PackageNotFoundError:  # a checkout that was never installed
        return "0+checkout"
