"""Whether the device that the user names is here, before any stage runs."""

from __future__ import annotations

from collections.abc import Iterator

from xharness.errors import ConfigurationError, UnavailableError
from xharness.executor import RunContext
from xharness.plugin.api import Backend, Translator
from xharness.session.session import Session
from xharness.stages import Predict, Train, Translate


def check_device(job: Session, work: RunContext) -> None:
    """Ask all that would compute on the device; nobody where none is named or all is stored.

    Raises:
        ConfigurationError: no device is called so.
        UnavailableError: this machine has none.
    """
    device = work.runtime.device
    if device is None:
        return
    for one in {id(one): one for one in _computing(job, work)}.values():
        try:
            one.check_device(device)
        except (ConfigurationError, UnavailableError) as error:
            raise type(error)(error.what, where=_where(job), hint=error.hint) from None


def _computing(job: Session, work: RunContext) -> Iterator[Backend | Translator]:
    """The backends and translators of the stages that are still to run."""
    for stage in job.plan.needed(work.store.has):
        if isinstance(stage, Train):
            yield work.backend(stage)
        if isinstance(stage, Predict):
            yield work.backend(stage.model)
        if isinstance(stage, Translate):
            yield job.catalogue.translators[stage.translator.backend]


def _where(job: Session) -> str:
    """Where the device is named: on the command line or in the study."""
    if job.options.device is not None:
        return "--device"
    return f"{job.document.position(('runtime', 'device'))}: runtime.device"
