"""The contests on a device, the most telling first: time may end before the last."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks import embedding, likelihood
from benchmarks.device import predicting, training
from benchmarks.measurement import Contest

CONTESTS: Mapping[str, Contest] = {
    "predict wikiann": predicting.contest("wikiann"),
    "train wikiann": training.contest("wikiann"),
    "predict tydiqa": predicting.contest("tydiqa"),
    "train tydiqa": training.contest("tydiqa"),
    "embed tatoeba": embedding.CONTEST,
    "train xnli": training.contest("xnli"),
    "train udpos": training.contest("udpos"),
    "likelihood xcopa": likelihood.CONTEST,
    "compile wikiann": training.compiled_contest("wikiann"),
    "compile tydiqa": training.compiled_contest("tydiqa"),
}
