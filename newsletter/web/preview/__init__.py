"""The writer's server: an issue as its readers will see it, live while it is written."""

from newsletter.web.preview.app import create_app, run

__all__ = ["create_app", "run"]
