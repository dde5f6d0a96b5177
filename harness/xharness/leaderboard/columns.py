"""The words over the columns: the same on the board, its page, its data and the terminal."""

from __future__ import annotations

from xharness.gaps import Quantity

MODEL, STRATEGY, TASK, SEEDS = "model", "strategy", "task", "seeds"
OTHERS, GAP = "others", "gap"
CHANGE_OF_GAP, CHANGE_OF_OTHERS, READS_AS = "Δ gap", "Δ others", "reads as"
RETENTION, DETECTABLE, LOWEST = "retention", "detectable Δ gap", "lowest"
PARAMETERS, NON_EMBEDDING = "parameters", "outside embedding"
BASELINE = "baseline"
STEPS, ALL_STEPS, EXAMPLES = "steps", "steps in all", "examples"


def heading(quantity: Quantity, source: str, *, change: bool = False) -> str:
    """`English`, `others`, `gap`, and what changes in them: `Δ others`."""
    name = source if quantity == "source" else quantity
    return f"Δ {name}" if change else name


MEANINGS = (
    (GAP, "the {source} score minus `others`; *undefined* where {source} has none, never zero."),
    (OTHERS, "the unweighted mean of the scores in all other languages."),
    (
        f"{CHANGE_OF_GAP}, {CHANGE_OF_OTHERS}",
        "the strategy minus `{baseline}`: same model, same test items. A smaller gap is not better "
        "by itself: it also shrinks when the {source} score falls.",
    ),
    (
        READS_AS,
        "the words that three seeds or more allow, after Holm's correction over all of the board's "
        "tests; *open* means that the data can't tell.",
    ),
    ("[low, high]", "95% interval, each by itself, over test items and training seeds."),
    (RETENTION, "(others − floor) / (source − floor), floor being what answering blindly gets."),
    (
        DETECTABLE,
        "the smallest true change that four in five such studies would notice, and the range in "
        "which it lies in 80% of studies.",
    ),
    (
        "not learnt",
        "the {source} score is not above what answering without looking gets, tested at 1%: no "
        "word is said of such an arm, and it is in no average.",
    ),
    (
        "EXPLORATORY",
        "fewer than three seeds in one of both arms, or fewer than ten items of a language: "
        "numbers, and no words.",
    ),
)
"""What each column says; a page fills in `source` and `baseline`."""
