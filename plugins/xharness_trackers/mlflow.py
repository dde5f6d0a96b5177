"""MLflow: the server that MLFLOW_TRACKING_URI names, or files in the run's folder."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xharness import Observer, TrackedRun, Tracker, UnavailableError
from xharness_trackers.series import Series, SeriesObserver, flat, missing_package, prepared

if TYPE_CHECKING:
    from mlflow.entities import Metric
    from mlflow.tracking import MlflowClient

_BATCH = 500  # metrics in one request; MLflow takes a thousand
_LONGEST = 6000  # letters of a parameter's value that MLflow takes


class MLflow(Tracker):
    """An experiment for each study, and in it a run for each training and for each arm."""

    name = "mlflow"

    def observe(self, run: TrackedRun) -> Observer:
        try:
            from mlflow.tracking import MlflowClient
        except ImportError:
            raise missing_package("mlflow-skinny", "mlflow") from None
        address = os.environ.get("MLFLOW_TRACKING_URI")
        if address and run.offline and address.startswith(("http:", "https:", "databricks")):
            raise UnavailableError(
                "MLFLOW_TRACKING_URI names a server, and this run opens no connection",
                hint="unset it to write files, or leave out --offline",
            )
        if address is None:
            # Newer versions of MLflow write files only where they are told that it is meant.
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
            address = prepared(run.folder / "mlruns").resolve().as_uri()
        return _MLflowObserver(MlflowClient(tracking_uri=address), run)


class _MLflowObserver(SeriesObserver):
    def __init__(self, client: MlflowClient, run: TrackedRun) -> None:
        super().__init__()
        self._client = client
        experiment = client.get_experiment_by_name(run.name)
        self._experiment = (
            client.create_experiment(run.name) if experiment is None else experiment.experiment_id
        )
        self._study = self._start("study", run.parameters, {})

    def series(self, name: str, parameters: Mapping[str, Any]) -> Series:
        tags = {"mlflow.parentRunId": self._study}  # how MLflow nests runs
        return _LoggedRun(self._client, self._start(name, parameters, tags))

    def close(self) -> None:
        super().close()
        self._client.set_terminated(self._study)

    def _start(self, name: str, parameters: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        from mlflow.entities import Param

        run = self._client.create_run(self._experiment, tags=dict(tags), run_name=name)
        params = [Param(key, text[:_LONGEST]) for key, text in flat(parameters).items()]
        identifier: str = run.info.run_id
        self._client.log_batch(identifier, params=params)
        return identifier


class _LoggedRun(Series):
    """Metrics go out in batches: a request for each step would hold the training up."""

    def __init__(self, client: MlflowClient, identifier: str) -> None:
        self._client, self._identifier = client, identifier
        self._held_back: list[Metric] = []

    def log(self, step: int | None, metrics: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._held_back += [Metric(name, value, now, step or 0) for name, value in metrics.items()]
        if len(self._held_back) >= _BATCH:
            self._send()

    def close(self) -> None:
        self._send()
        self._client.set_terminated(self._identifier)

    def _send(self) -> None:
        for first in range(0, len(self._held_back), _BATCH):
            batch = self._held_back[first : first + _BATCH]
            self._client.log_batch(self._identifier, metrics=batch)
        self._held_back = []
