"""The one place that asks addresses on the web: here, whether the publication's own unsubscribe address answers."""

from __future__ import annotations

from newsletter.errors import ConfigError

_PATIENCE = 10  # seconds


def try_unsubscribe(url: str) -> None:
    """Post to `url` as a mailbox does for one click (RFC 8058 section 3.2); raises ConfigError unless it answers 200.

    `url` ends in a token that can do nothing, so nobody is unsubscribed by asking.
    """
    import requests

    hint = "is `newsletter serve` running there? --unverified-unsubscribe sends all the same, if you know why"
    try:
        answer = requests.post(
            url, files={"List-Unsubscribe": (None, "One-Click")}, timeout=_PATIENCE, allow_redirects=False
        )
    except requests.RequestException as error:
        reason = type(error).__name__
        raise ConfigError(
            f"the unsubscribe address {_without_token(url)} does not answer: {reason}", hint=hint
        ) from error
    if answer.status_code != requests.codes.ok:
        raise ConfigError(
            f"the unsubscribe address {_without_token(url)} answers {answer.status_code}, not 200", hint=hint
        )


def _without_token(url: str) -> str:
    return url.rpartition("/")[0]
