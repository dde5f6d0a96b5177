"""What this plugin offers: the sources `hub`, `url` and `file`."""

from __future__ import annotations

from collections.abc import Iterable

from xharness import Source, hookimpl
from xharness_hub.files import FileSource
from xharness_hub.hub import HubSource
from xharness_hub.urls import UrlSource


@hookimpl
def xharness_sources() -> Iterable[Source]:
    return [HubSource(), UrlSource(), FileSource()]
