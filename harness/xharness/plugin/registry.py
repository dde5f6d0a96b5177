"""Registries: the offers of one noun by name.

An unknown name answers with the nearest one; a name that two plugins offer answers with both of
them; what is no offer of the noun is set aside with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from xharness.errors import ConfigurationError, suggestion
from xharness.phrases import listed
from xharness.plugin.manager import Plugins, Provider

T = TypeVar("T")


@dataclass
class Registry(Generic[T]):
    """Offers of one noun by name."""

    noun: str
    offers: dict[str, list[tuple[Provider, T]]] = field(default_factory=dict)

    def register(self, name: str, provider: Provider, offer: T) -> None:
        """Add an offer; a second one of the same name makes the name ambiguous."""
        # No error yet: a clash of two plugins must not stop the studies that name neither offer.
        self.offers.setdefault(name, []).append((provider, offer))

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.offers))

    def __getitem__(self, name: str) -> T:
        """The one offer of that name.

        Raises:
            ConfigurationError: unknown, or offered by more than one plugin.
        """
        return self._only(name)[1]

    def provider(self, name: str) -> Provider:
        """Who offers `name`."""
        return self._only(name)[0]

    def _only(self, name: str) -> tuple[Provider, T]:
        offers = self.offers.get(name, [])
        if len(offers) > 1:
            raise self.ambiguous(name)
        if not offers:
            raise ConfigurationError(
                f"there is no {self.noun} '{name}'", hint=suggestion(name, self.offers)
            )
        return offers[0]

    def ambiguous(self, name: str) -> ConfigurationError:
        """The error about a name that is offered more than once."""
        return ConfigurationError(
            f"{self.noun} '{name}' is offered by {self.providers(name)}",
            hint="uninstall or rename one of them",
        )

    def providers(self, name: str) -> str:
        """Who offers an ambiguous `name`: `a and b`, or `a twice`."""
        names = [*dict.fromkeys(str(provider) for provider, _ in self.offers[name])]
        return listed(names) if len(names) > 1 else f"{names[0]} twice"


def offered(plugins: Plugins, noun: str, hook: str, base: type) -> Registry[Any]:
    """What plugins return from `hook`; what does not derive from `base` is set aside."""
    registry: Registry[Any] = Registry(noun)
    for provider, offer in plugins.offers(hook):
        try:
            name = _name(offer, noun)
            _check_offer(offer, f"{noun} '{name}'", base)
            registry.register(name, provider, offer)
        except (Exception, SystemExit) as error:  # a stranger's property can raise anything
            plugins.set_aside(provider, hook, error)
    return registry


def _name(offer: Any, noun: str) -> str:
    name = getattr(offer, "name", None)
    if not isinstance(name, str) or not name:
        raise TypeError(f"{offer!r} is no {noun}: it has no 'name' that is text")
    return name


def _check_offer(offer: Any, title: str, base: type) -> None:
    """Whether `offer` is an instance of its noun's base class with all that has no default.

    Raises:
        TypeError: it is a class, none of that base, or lacks an attribute.
    """
    if isinstance(offer, type):
        raise TypeError(f"{title} is a class: offer an instance, {offer.__name__}()")
    if not isinstance(offer, base):
        raise TypeError(
            f"{title} is no {base.__name__}: derive its class from xharness.{base.__name__}"
        )
    # Methods without a default are abstract: without them there would be no instance.
    missing = [f"'{name}'" for name in base.__annotations__ if not hasattr(offer, name)]
    if missing:
        raise TypeError(f"{title} lacks {', '.join(missing)}")
