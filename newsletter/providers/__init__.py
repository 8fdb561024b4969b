"""Who carries it: the table of providers. Each is imported only when it is opened."""

from __future__ import annotations

import importlib
from typing import Any

from pydantic import ValidationError

from newsletter.errors import ConfigError, did_you_mean, problems_of
from newsletter.providers.base import Place, Provider, ProviderType

PROVIDERS = {
    "outbox": "newsletter.providers.outbox:Outbox",
    "smtp": "newsletter.providers.smtp:Smtp",
}


def provider_type(name: str) -> ProviderType:
    """The class of provider `name`; a name with a colon ("package.module:Class") is imported as it stands."""
    target = name if ":" in name else PROVIDERS.get(name)
    if target is None:
        raise ConfigError(f"there is no provider `{name}`", hint=did_you_mean(name, list(PROVIDERS)))
    module, _, attribute = target.partition(":")
    try:
        found: ProviderType = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"the provider `{name}` cannot be imported: {error}") from error
    return found


def open_provider(name: str, options: dict[str, Any], place: Place) -> Provider:
    """Provider `name` with its `options` ([providers.<name>] and its secrets); raises ConfigError at `place`."""
    kind = provider_type(name)
    try:
        return kind(kind.Options.model_validate(options))
    except ValidationError as error:
        known = [field.alias or key for key, field in kind.Options.model_fields.items()]
        raise ConfigError.of(problems_of(error.errors(), lambda _: known, lambda _: place, add="add {} = …")) from error
