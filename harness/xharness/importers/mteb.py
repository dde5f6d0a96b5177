"""Results of MTEB: one JSON file a task, for a model whose vectors are searched.

Only tasks that MTEB asks as the card does become rows: bitext retrieval (Tatoeba) and retrieval.
What goes by the name of another card is something else there, such as XNLI, which it turns into
telling pairs apart by their cosine, or BUCC, where each sentence has a translation. Its scores are
shares of 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel

from xharness.errors import ConfigurationError
from xharness.importers import names
from xharness.importers.reported import ReportedScore
from xharness.json_text import read_json
from xharness.plugin.catalogue import Catalogue
from xharness.spec.cards import TaskCard
from xharness.spec.documents import Document
from xharness.spec.examination import validate

_SEARCH_TASK_TYPES = {"bitext_retrieval", "retrieval"}


class _Subset(BaseModel, extra="allow"):
    hf_subset: str
    languages: list[str] = []


class MtebFile(BaseModel):
    """What is read of a file; it says more."""

    task_name: str
    scores: dict[str, list[_Subset]]
    """Split to its subsets, each with its metrics."""
    mteb_version: str | None = None


def is_mteb(values: object) -> bool:
    """Whether a file's JSON is a result of MTEB, of whatever version."""
    return isinstance(values, Mapping) and (
        "mteb_dataset_name" in values or {"task_name", "scores"} <= values.keys()
    )


def parse_file(values: object, path: Path) -> MtebFile:
    """A file's JSON, as far as it is read.

    Raises:
        ConfigurationError: it is not one of theirs, or has the form of early versions.
    """
    if isinstance(values, Mapping) and "mteb_dataset_name" in values:
        raise ConfigurationError(
            "a result of an early version of MTEB", where=str(path),
            hint="mteb.TaskResult.from_disk(path).to_disk(path) writes it in today's form",
        )  # fmt: skip
    if not is_mteb(values):
        raise ConfigurationError(
            "not a result of MTEB", where=str(path), expected="'task_name' and 'scores'"
        )
    return validate(Document(str(path), values, {}), MtebFile)


def reported_scores(file: MtebFile, path: Path, catalogue: Catalogue) -> list[ReportedScore]:
    """What the file says in metrics and languages that its card has."""
    card = _card(file, catalogue)
    if card is None:
        return []
    return [
        _reported_score(file, path, card, split, subset, language, metric)
        for split, subset, language in _subsets(file)
        if language in card.languages
        for metric in card.metrics
        if isinstance((subset.model_extra or {}).get(metric), float | int)
    ]


def names_without_card(file: MtebFile, catalogue: Catalogue) -> list[str]:
    """The task that no card asks alike, or its subsets in languages that the card lacks."""
    card = _card(file, catalogue)
    if card is None:
        return [file.task_name]
    return [
        f"{file.task_name} {subset.hf_subset}"
        for _, subset, language in _subsets(file)
        if language not in card.languages
    ]


def _card(file: MtebFile, catalogue: Catalogue) -> TaskCard | None:
    name = names.task_name(file.task_name, catalogue)
    card = catalogue.card(name) if name in catalogue.card_files.offers else None
    return card if card is not None and card.task_type in _SEARCH_TASK_TYPES else None


def _subsets(file: MtebFile) -> Iterator[tuple[str, _Subset, str]]:
    """Each subset with its split and its language: in a pair with English, the other one."""
    for split, subsets in file.scores.items():
        for subset in subsets:
            # Languages stand there with their script: `deu-Latn`.
            codes = [names.language_code(name.partition("-")[0]) for name in subset.languages]
            # English alone is the language of an English task.
            foreign = [code for code in codes if code != "en"]
            yield split, subset, (foreign or codes or [subset.hf_subset])[0]


def _reported_score(
    file: MtebFile,
    path: Path,
    card: TaskCard,
    split: str,
    subset: _Subset,
    language: str,
    metric: str,
) -> ReportedScore:
    direction = f"MTEB searches from {' to '.join(subset.languages)}"
    return ReportedScore(
        location=f"{path}: scores.{split}.{subset.hf_subset}.{metric}",
        task=card.name,
        metric=metric,
        model=_model(path),
        value=100 * (subset.model_extra or {})[metric],
        source=f"MTEB {file.mteb_version or ''}".strip(),
        language=language,
        split=split,
        strategy="embedded",
        protocol="embedded, not fine-tuned",
        notes=(direction,) if len(subset.languages) > 1 else (),
    )


def _model(path: Path) -> str:
    """The model's name, which stands in `model_meta.json` beside the file, or in its folder's."""
    # The file itself does not name the model.
    try:
        meta = read_json(path.parent / "model_meta.json")
        return str(meta["name"])
    except (OSError, ValueError, KeyError, TypeError):
        folder = path.resolve().parent.parent.name  # <model>/<revision>/<task>.json
        return folder.replace("__", "/") or "unnamed"
