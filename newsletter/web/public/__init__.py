"""The readers' server: subscribe, confirm, unsubscribe, preferences, and the archive beside them."""

from newsletter.web.public.app import create_app, run

__all__ = ["create_app", "run"]
