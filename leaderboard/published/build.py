"""Make scores.jsonl anew: python leaderboard/published/build.py FOLDER

FOLDER holds the tables as CSV: per_language_published, task_level_published,
panx_48lang_5seed_xlmr_xlmv, xquad_11lang_5seed_xlmr_xlmv, bloomz_mt0_xnli_xcopa_median. Averages
over languages, as the same sources state them, are in averages.csv beside this file. The board is
rendered afterwards by `xharness leaderboard build leaderboard/published`.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from xharness.errors import XharnessError
from xharness.gaps import scores
from xharness.importers import ImportOptions, ReportedScore, read, rows
from xharness.plugin import manager
from xharness.plugin.catalogue import Catalogue

HERE = Path(__file__).parent
LANGUAGE = {"language": "lang"}
ARMS = {
    "XLM-R base": ("xlm-r-base", "single"),
    "XLM-R base (reported)": ("xlm-r-base", "single"),
    "XLM-R base (MiniLM run)": ("xlm-r-base (MiniLM run)", "single"),
    "XLM-R (Paper)": ("xlm-r-base", "single"),
    "XLM-V (Paper)": ("xlm-v-base", "single"),
    "xlm-roberta-base": ("xlm-r-base (reproduced)", "single"),
    "xlm-v-base": ("xlm-v-base (reproduced)", "single"),
    "facebook/xlm-v-base": ("xlm-v-base (reproduced)", "single"),
    "XLM-R-base": ("xlm-r-base", "single"),
    "XLM-R Large": ("xlm-r-large", "single"),
    "XLM-R large": ("xlm-r-large", "single"),
    "XLM-R Large test": ("xlm-r-large", "single"),
    "X-STILTs": ("xlm-r-large", "intermediate"),
    "XLM-Align": ("xlm-align-base", "single"),
    "mBERT": ("mbert", "single"),
    "mBERT-base": ("mbert", "single"),
    "mBERT test": ("mbert", "single"),
    "mMiniLM-L12xH384": ("mminilm-l12", "single"),
    "mDeBERTa-v3-base": ("mdeberta-v3-base", "single"),
    "RoBERTa-L translate-test": ("roberta-large", "translate-test"),
    "MAD-X Base": ("mad-x-base", "adapters"),
    "mGTE base": ("mgte-mlm-base", "single"),
    "mmBERT base": ("mmbert-base", "single"),
}
"""What the tables call a model, to what the board calls it; what is not here keeps its name."""
LARGER = ("mT5-Large", "mT5-XL", "mT5-XXL", "ByT5-Large")  # more than a billion parameters
OTHERS = ("Human", "mBERT dev", "XLM-R Large dev", "XLM-R (Reproduced)", "XLM-V (Reproduced)")
"""No model; dev scores; five-seed means, whose seeds are here."""
PROMPTED = ("BLOOM-560M", "BLOOMZ-560M", "mT0-300M", "mT0-560M")
PROTOCOLS = {
    "zero-shot": "fine-tuned",
    "leaderboard": "fine-tuned, leaderboard submission",
    "zero-shot, oracle-swept HP": "fine-tuned, hyperparameters chosen on the targets",
}
SEEDED = "stefan-it/xlm-v-experiments@13f86b4"
MEDIANS = "bigscience-workshop/xmtf@5caa1b1, median over prompts"
CHANCE = "50.0 stands for chance: the model does not know the language"
LOST = re.compile(r",? (?:via )?index id \d+")


def main(tables: Path, to: Path = HERE) -> None:
    catalogue = Catalogue(manager.load())
    reported_scores = [*per_language(tables, catalogue), *seeds(tables, catalogue)]
    reported_scores += [*averages(catalogue), *task_level(tables), *prompted(tables, catalogue)]
    renamed_scores = [
        rename(reported) for reported in reported_scores if reported.model not in (*LARGER, *OTHERS)
    ]
    scores.write(to / "scores.jsonl", rows(renamed_scores, catalogue))


def rename(reported: ReportedScore) -> ReportedScore:
    model, strategy = ARMS.get(reported.model, (reported.model, reported.strategy))
    return replace(reported, model=model, strategy=strategy)


def per_language(tables: Path, catalogue: Catalogue) -> Iterator[ReportedScore]:
    imported = read([tables / "per_language_published.csv"], ImportOptions(LANGUAGE), catalogue)
    for reported in imported.reported_scores:
        placeholder = (reported.task, reported.value) == ("xcopa", 50.0) and reported.language in (
            "ht",
            "qu",
        )
        selected = (reported.task, reported.source) == ("xnli", "microsoft/unilm MiniLM README")
        yield replace(
            reported,
            notes=(CHANCE,) if placeholder else (),
            protocol="fine-tuned, selected on the targets' dev sets" if selected else "fine-tuned",
        )


def averages(catalogue: Catalogue) -> Iterator[ReportedScore]:
    yield from read([HERE / "averages.csv"], ImportOptions(), catalogue).reported_scores


def seeds(tables: Path, catalogue: Catalogue) -> Iterator[ReportedScore]:
    """Five seeds each of two models; the test split of WikiANN."""
    panx = ImportOptions({"score": "f1", **LANGUAGE}, {"metric": "f1", "source": SEEDED})
    for reported in read(
        [tables / "panx_48lang_5seed_xlmr_xlmv.csv"], panx, catalogue
    ).reported_scores:
        if reported.split == "test":
            yield reported
    for metric in ("em", "f1"):
        constants = {"task": "xquad", "metric": metric, "source": SEEDED}
        path = tables / "xquad_11lang_5seed_xlmr_xlmv.csv"
        yield from read(
            [path], ImportOptions({"score": metric, **LANGUAGE}, constants), catalogue
        ).reported_scores


def task_level(tables: Path) -> Iterator[ReportedScore]:
    """Averages over languages, and over tasks, of XTREME and XTREME-R."""
    path = tables / "task_level_published.csv"
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 2):
            yield _task_level(row, f"{path}:{number}")


def _task_level(row: dict[str, str], location: str) -> ReportedScore:
    suite, name = row["benchmark"].lower(), row["task_metric"]
    task, _, metric = name.partition("_")
    if task == "avg":
        averaged_over = "families" if "group" in name else "tasks"
        task, metric = suite, "mean"
    else:
        averaged_over = None
        qa = "not stated" if task in ("xquad", "mlqa", "tydiqa") else "score"
        metric = metric or qa
    return ReportedScore(
        location, task, metric, row["model"], float(row["score"]), LOST.sub("", row["source"]),
        protocol=PROTOCOLS[row["setting"]], averaged_over=averaged_over,
        suite=None if task == suite else suite,
    )  # fmt: skip


def prompted(tables: Path, catalogue: Catalogue) -> Iterator[ReportedScore]:
    """Decoders and text-to-text models, prompted in English without any fine-tuning."""
    options = ImportOptions(
        {"score": "median_acc", **LANGUAGE},
        {"metric": "acc", "source": MEDIANS, "strategy": "prompted", "protocol": "prompted"},
    )
    path = tables / "bloomz_mt0_xnli_xcopa_median.csv"
    for reported in read([path], options, catalogue).reported_scores:
        if reported.model in PROMPTED:
            yield reported


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except XharnessError as error:
        sys.exit(f"error: {error}")
