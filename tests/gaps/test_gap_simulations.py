"""How often boards are wrong, and how often they find what is there, over simulated studies.

Through the functions that boards use. 2,000 studies know a rate of 5% to one point: rules fail
above 7%. The small versions that always run allow for their own noise.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from tests.conftest import REPOSITORY
from tests.gaps.handmade import Rows
from tests.gaps.simulated import Study, contrasts, luck_alone, p_values, worded

from xharness.gaps.intervals import change_estimates, detectable, tango_square, wilson_limits
from xharness.gaps.learning import above_floor
from xharness.gaps.sampled import Contrast, Sampled
from xharness.gaps.slopes import within_families
from xharness.gaps.spread import detectable_errors
from xharness.gaps.verdicts import Verdict

MANY, FEW = 2000, 250
SIZES = [pytest.param(FEW, id="few"), pytest.param(MANY, id="many", marks=pytest.mark.thorough)]


def most(studies: int, rate: float = 0.055, fail: float = 0.07) -> float:
    """The share above which a rule fails: 7%, and what `studies` may show by chance."""
    return max(fail, float(stats.binom.ppf(0.9999, studies, rate)) / studies)


SEEDS = [
    Study((3,)),
    Study((3,), items=200),
    Study((3,), items=10_000),
    Study((3,) * 4),
    Study((3,) * 4, correlation=0.5, items=10_000),
    Study((5,) * 8, items=200),
    Study((5, 3, 3)),
    Study((4, 3, 4, 4)),
    Study((3, 3), base_seeds=(5, 5)),
    Study((2,)),
]


@pytest.mark.parametrize("studies", SIZES)
@pytest.mark.parametrize("study", SEEDS, ids=str)
def test_a_change_that_is_none_is_seldom_told_from_zero(study, studies):
    rng = np.random.default_rng(1)
    changes = [contrasts(rng, study) for _ in range(studies)]
    for name in ("gap", "others", "source"):
        assert (p_values(changes, name) < 0.05).mean() <= most(studies)


def _luck_of_one_training() -> list[list[float]]:
    """The rows of the table in docs/statistics.md: tasks, items, and what luck alone does."""
    text = (REPOSITORY / "docs" / "statistics.md").read_text(encoding="utf-8")
    _, rows = text.split("### Luck alone")[1].split("|--|--|--|--|--|--|\n")
    lines = rows.split("\n\n")[0].splitlines()
    return [
        [float(cell.strip(" ±%").replace(",", "")) for cell in line.split("|")[1:-1]]
        for line in lines
    ]


@pytest.mark.thorough
@pytest.mark.parametrize("row", _luck_of_one_training(), ids=str)
def test_luck_alone_moves_one_training_as_the_page_says(row):
    tasks, items, *expected = row
    measured = []
    for name in ("gap", "others"):
        rng = np.random.default_rng(1)
        changes = [luck_alone(rng, name, int(tasks), int(items)) for _ in range(4000)]
        claimed = np.mean([estimate.p < 0.05 for estimate in change_estimates(changes)])
        measured += [np.quantile([abs(change.value) for change in changes], 0.95), 100 * claimed]
    assert measured == pytest.approx(expected, rel=0.02, abs=0.5)


TRUTHS = {
    "nothing": Study((3,) * 6),
    "one task": Study((3,)),
    "others +2": Study((3,) * 6, others=2.0),
    "source -3": Study((5,) * 6, source=-3.0),
    "all +2": Study((5,) * 6, source=2.0, others=2.0),
}
FALSE = {
    "nothing": lambda change: change.is_claim,
    "one task": lambda change: change.is_claim,
    "others +2": lambda change: change not in (
        Verdict.NARROWS_OTHERS_GAIN, Verdict.OTHERS_GAIN_GAP_OPEN, Verdict.NARROWS_WHY_OPEN,
        Verdict.OPEN,
    ),
    "source -3": lambda change: change not in (
        Verdict.NARROWS_SOURCE_FELL, Verdict.NARROWS_WHY_OPEN, Verdict.OPEN
    ),
    "all +2": lambda change: change not in (
        Verdict.ALL_GAIN_GAP_SAME, Verdict.OTHERS_GAIN_GAP_OPEN, Verdict.OPEN
    ),
}  # fmt: skip
RIGHT = {
    "nothing": ({Verdict.OPEN, Verdict.SAME}, 0.98),
    "source -3": ({Verdict.NARROWS_SOURCE_FELL}, 0.9),
    "all +2": ({Verdict.ALL_GAIN_GAP_SAME, Verdict.OTHERS_GAIN_GAP_OPEN}, 0.9),
    "others +2": ({Verdict.NARROWS_OTHERS_GAIN, Verdict.OTHERS_GAIN_GAP_OPEN}, 0.5),
}


@pytest.mark.parametrize("studies", [pytest.param(60, id="few"), SIZES[1]])
@pytest.mark.parametrize("truth", TRUTHS)
def test_a_board_seldom_says_what_is_not_so(truth, studies):
    """Eight changes: four models, two strategies."""
    rng = np.random.default_rng(2)
    boards = [[contrasts(rng, TRUTHS[truth]) for _ in range(8)] for _ in range(studies)]
    words = [[change.verdict for change in board] for board in worded(boards)]
    assert np.mean([any(map(FALSE[truth], board)) for board in words]) <= most(studies)
    if truth in RIGHT:
        verdicts, least = RIGHT[truth]
        assert np.mean([change in verdicts for board in words for change in board]) > least


@pytest.mark.parametrize("studies", SIZES)
@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_what_is_detectable_is_found_in_four_cases_of_five(seeds, studies):
    """At the true error: what a study of this kind prints scatters around it."""
    rng = np.random.default_rng(3)
    study = Study((seeds,), items=10**7)
    unchanged = [contrasts(rng, study)["others"] for _ in range(studies)]
    errors = np.array([float(change.spread().error) for change in unchanged])
    printed = np.array([detectable(change.spread()).value for change in unchanged])
    true = np.array([change.value for change in unchanged]).std() * np.median(printed / errors)
    changes = change_estimates(
        [
            contrasts(rng, Study((seeds,), items=10**7, others=true))["others"]
            for _ in range(studies)
        ]
    )
    assert np.mean([change.p < 0.05 for change in changes]) == pytest.approx(
        0.8, abs=0.05 if studies == MANY else 0.1
    )


@pytest.mark.parametrize("studies", SIZES)
@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_the_printed_range_holds_what_is_detectable_in_four_studies_of_five(seeds, studies):
    """Seeds alone, of known spread: what is detectable at the true error is known too."""
    rng = np.random.default_rng(8)
    scores = rng.normal(0, 1, (2, studies, seeds))
    items = np.zeros((seeds, seeds))
    printed = [
        detectable(Contrast(Sampled(arm, items), Sampled(base, items), items).spread())
        for arm, base in zip(*scores, strict=True)
    ]
    freedom = 2 * (seeds - 1)
    exact = np.sqrt(2 / seeds) * detectable_errors(float(stats.t.ppf(0.975, freedom)), freedom)
    held = [smallest.low <= exact <= smallest.high for smallest in printed if smallest]
    assert len(held) == studies
    # The error's own degrees of freedom are guessed as well, which makes the range longer.
    assert np.mean(held) == pytest.approx(0.82, abs=0.06 if studies == MANY else 0.1)


@pytest.mark.parametrize("studies", SIZES)
@pytest.mark.parametrize(
    ("families", "interleaved"),
    [((4,), True), ((3, 3), False), ((4, 4), False), ((3, 3, 3), False), ((4, 4), True)],
    ids=str,
)
def test_families_of_other_sizes_and_levels_make_no_slope(families, interleaved, studies):
    rng = np.random.default_rng(4)
    false = 0
    for _ in range(studies):
        sizes, names, values = [], [], []
        for family, count in enumerate(families):
            start = 0.1 * family if interleaved else 3.0 * family
            sizes += list(start + np.arange(count))
            names += [f"f{family}"] * count
            values += list(rng.normal(0, 4) + rng.normal(0, 1, count))
        slope = within_families(np.array(sizes), np.array(values), np.full(len(sizes), 0.2), names)
        assert slope is not None and slope.p is not None
        false += slope.p < 0.05
    assert false / studies <= most(studies)


@pytest.mark.parametrize("studies", SIZES)
@pytest.mark.parametrize("items", [120, 1000])
def test_who_does_not_look_at_the_item_has_not_learnt(items, studies):
    """Guesses of any shares, and one label always; three labels, the commonest 40% of the gold."""
    rng = np.random.default_rng(5)
    gold = rng.choice(3, items, p=[0.4, 0.35, 0.25])
    floor = 100 * max(1 / 3, np.bincount(gold).max() / items)
    shares = rng.dirichlet([1, 1, 1], studies)
    guesses = np.array([rng.choice(3, items, p=share) for share in shares])
    scores = np.array([100 * (guess == gold).mean() for guess in guesses])
    constant = np.array([100 * (gold == label).mean() for label in range(3)])
    passed = above_floor(
        scores, np.full(studies, floor), np.full(studies, items), None, right_or_wrong=True
    )
    assert passed.mean() <= 0.02
    assert not above_floor(
        constant, np.full(3, floor), np.full(3, items), None, right_or_wrong=True
    ).any()


def test_tangos_test_is_mcnemars_for_every_table():
    for items in (20, 60, 200):
        gained, lost = map(np.ravel, np.meshgrid(np.arange(61.0), np.arange(61.0)))
        possible = gained + lost <= items
        gained, lost = gained[possible], lost[possible]
        square = tango_square(gained, lost, np.full_like(gained, items), np.zeros_like(gained))
        discordant = np.maximum(gained + lost, 1)
        assert square == pytest.approx((gained - lost) ** 2 / discordant)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
@pytest.mark.parametrize("items", [20, 80, 200])
def test_wilson_covers_at_the_edges(share, items):
    right = stats.binom(items, share)
    values = np.arange(items + 1.0)
    low, high = wilson_limits(values / items, np.full_like(values, items), 1.959964)
    covered = (low <= 100 * share) & (100 * share <= high)
    assert right.pmf(values)[covered].sum() >= 0.92


def _board(rng, parallel, models=40, strategies=("single", "multitask")):
    """Models whose strategies are all alike: only seeds and items move them."""
    rows = Rows()
    shape = (models, len(strategies), 3, 4, 150)
    skill = np.array([1.0, 0.4, 0.1, 0.3])[:, None]
    seed = rng.normal(0, 0.05, shape[:3])[..., None, None] + rng.normal(0, 0.08, (*shape[:4], 1))
    item = rng.normal(0, 1, (1 if parallel else shape[3], shape[4]))
    noise = rng.normal(0, 0.4, (*shape[:2], 1, *shape[3:])) + rng.normal(0, 1, shape)
    right = skill + seed + item + noise > 0
    for model, strategy in np.ndindex(shape[:2]):
        answers = {
            code: right[model, strategy, :, index].astype(int).tolist()
            for index, code in enumerate(("en", "de", "sw", "th"))
        }
        rows.arm(answers, f"m{model}", strategies[strategy], parallel=parallel)
    return rows.gaps()


@pytest.mark.parametrize(
    "boards", [pytest.param(4, id="few"), pytest.param(50, id="many", marks=pytest.mark.thorough)]
)
@pytest.mark.parametrize("parallel", [True, False], ids=["parallel", "apart"])
def test_from_items_to_words_no_change_is_seldom_told_from_zero(parallel, boards):
    rng = np.random.default_rng(6)
    gaps = [_board(rng, parallel) for _ in range(boards)]
    changes = [change for board in gaps for change in board.average_changes]
    for quantity in ("gap", "others", "source"):
        false = np.mean([getattr(change, quantity).p < 0.05 for change in changes])
        assert false <= most(len(changes))
    tests = [
        test.difference
        for board in gaps
        for change in board.changes
        for test in change.tests.values()
    ]
    assert np.mean([test.p < 0.05 for test in tests]) <= most(len(changes))


@pytest.mark.parametrize(
    "models", [pytest.param(60, id="few"), pytest.param(600, id="many", marks=pytest.mark.thorough)]
)
@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
@pytest.mark.parametrize("sentences", [30, 120])
def test_a_languages_f1_that_changed_by_luck_is_seldom_told_from_zero(
    sentences, share, seeds, models
):
    """Spans found with one probability by both arms: the two items more keep the edges honest."""
    rng = np.random.default_rng(9)
    rows = Rows()
    spans = rng.integers(0, 4, (4, sentences))
    for model, strategy in np.ndindex(models, 2):
        hits = rng.binomial(spans[:, None], share, (4, seeds, sentences))
        extra = rng.binomial(spans[:, None], 1 - share, hits.shape)
        counts = np.stack([hits, extra, spans[:, None] - hits], axis=-1).astype(float)
        languages = dict(zip(("en", "de", "sw", "th"), counts, strict=True))
        rows.spans(languages, f"m{model}", ("single", "multitask")[strategy])
    tests = [test for change in rows.gaps().changes for test in change.tests.values()]
    assert {test.method for test in tests} == {"Welch"}
    assert len(tests) == 4 * models
    assert np.mean([test.difference.p < 0.05 for test in tests]) <= most(len(tests))


@pytest.mark.parametrize(
    "boards", [pytest.param(20, id="few"), pytest.param(500, id="many", marks=pytest.mark.thorough)]
)
@pytest.mark.parametrize("parallel", [True, False], ids=["parallel", "apart"])
def test_a_headline_over_models_that_gained_nothing_is_seldom_bold(parallel, boards):
    """Four models on the same items, two strategies: four tests are corrected."""
    rng = np.random.default_rng(7)
    bold = 0
    for _ in range(boards):
        gaps = _board(rng, parallel, models=4, strategies=("single", "lora", "multitask"))
        assert gaps.tests.headlines == 4
        assert all(len(line.models) == 4 for line in gaps.headlines)
        bold += any(line.verdict.is_claim for line in gaps.headlines)
    assert bold / boards <= most(boards)
