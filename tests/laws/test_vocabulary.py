"""The house rules that a reader notices first: nouns, one word an idea, modules in groups.

The counts are taken from the syntax tree, so that comments and strings are free.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median

import pytest

from tests.conftest import REPOSITORY

CORE = REPOSITORY / "harness" / "xharness"
CODE = ("harness", "plugins")
MOST_RIDDLES = 0.01
"""Of the names bound in a folder of code, the share that may be a pronoun or a participle."""
MOST_ONE_READER_MODULES = 0.3
"""Of the core's modules, the share that exactly one other may read, from the module itself or from
a package that hands on what is in it."""
MOST_SINGLE_IMPORTS = 0.33
"""Of the core's modules, the share that exactly one other may import, packages counted as any."""
LEAST_LINES = 40
"""Lines of a module that one other imports alone: a smaller thought lives with its neighbour."""
ONE_FILE_EACH = ("xharness.cli", "xharness.stages.")
"""Where the house has a file for each: commands behind their package, stages."""
MOST_LINES = 46
"""Lines of a function, its docstring included."""
MEDIAN_LINES = 6
"""The median of the lines of all functions: of signature and body, without docstrings."""

RIDDLES = frozenset(
    """
    one ones found some own said told asked given wished place places known what wanted whole
    named where why shown at other others more many most any all each every both same such none
    which who whom whose how here there then kept learnt seen answered changed made alike again
    left done scored written listed renamed spoken judged used chosen counted read taken put
    meant heard held drawn spelt ours theirs mine yours it its they them this that these those by
    over beside around before after inside above below between of to near with without under into
    from about twice having lacking alone several rest bare plain fixed absent undefined stated
    anything something nothing everything everyone someone
    """.split()  # noqa: SIM905
)
"""Words that make a reader scroll to learn what they stand for."""

REPLACED = {
    "task type": "kind kinds Kind Kinds KINDS span_or_none SpanOrNone",
    "gradient_accumulation_steps, warmup_ratio, mlm_probability": "accumulate warmup mask_rate",
    "max_answer_length, max_query_length, num_virtual_tokens": (
        "answer_length query_length virtual_tokens"
    ),
    "num_evals; evaluate": "looks look",
    "threshold_split, from_data, exclude, caveats": "tuned_on open_labels unless traps",
    "license, verbalizer": "licence verbaliser verbalised Verbaliser",
    "length_normalized": "normalised",
    "RunEnvironment": "surroundings Surroundings",
    "DataSlice": "portion portions Portion",
    "TrainingFeed, Mixture": "Feed Mixing mixing",
    "CheckpointSelection, SelectModel": "Choosing choosing Selecting Selection Choose",
    "CapabilityQuery, unsupported()": "Wanted Refusing abilities refusals",
    "SearchKind, SearchRequest, CandidateIndex": "Together Asked Pool",
    "Registry, builtin, UnsupportedError": "Shelf shipped CannotLearnError",
    "options": "wishes Wishes",
    "MeasuredArm, Markup": "Found Ink",
    "Backbone": "Body BODY bodies Bodies",
    "GenerativeModel, LanguageModel, PromptEncoder": "WritingModel Writer Spelling",
    "PreparedFeed, TrainingObjective, Feature": "lesson Lesson lessons Lessons Unit",
    "Switch; dropout, embedding_grad, matmul": "trick tricks Trick dropping lookups",
    "Score": "ScorePredictions",
    "identity": "as_is",
}
"""Today's word for an idea, to what it was called once: one word serves everywhere."""
IDENTIFIER_EXCEPTIONS = {
    ("residual_norm.py", "normalised"),  # states after a layer's norm, in whatever tool
    ("test_residual_norm.py", "normalised"),
}
MINIATURES = ("plugins/xharness_mini/", "tests/mini/")
"""Where sentences say facts of several kinds: another idea than the type of a task."""


@cache
def trees(*folders: str) -> dict[Path, ast.Module]:
    return {
        path.relative_to(REPOSITORY): ast.parse(path.read_text(encoding="utf-8"))
        for folder in folders
        for path in sorted((REPOSITORY / folder).rglob("*.py"))
    }


def bindings(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Each name that the code binds, with its line: assignments, loops, arguments, handlers.

    What is bound to an object (`self.rows = ...`) counts by the name behind the dot.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno
        elif isinstance(node, ast.arg) and node.arg not in ("self", "cls"):
            yield node.arg, node.lineno
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name, node.lineno


@pytest.mark.parametrize("folder", [*CODE, "benchmarks", "tests"])
def test_names_are_nouns(folder: str) -> None:
    count, riddles = 0, []
    for path, tree in trees(folder).items():
        for name, line in bindings(tree):
            count += name != "_"
            if name != "__all__" and name.strip("_") in RIDDLES:
                riddles.append(f"{path}:{line}: {name}")
    share = len(riddles) / count
    assert share <= MOST_RIDDLES, (
        f"{len(riddles)} of {count} names ({share:.1%}) say nothing of what they stand for; "
        "bind a thing by its noun:\n" + "\n".join(riddles)
    )


def test_a_class_name_means_one_thing() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for path, tree in trees(*CODE, "benchmarks").items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(f"{path}:{node.lineno}")
    shared = {name: definitions for name, definitions in homes.items() if len(definitions) > 1}
    assert not shared, "\n".join(f"{name}: {', '.join(shared[name])}" for name in shared)


def identifiers(path: Path, tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Each name that the project gives to something: bindings, functions, classes, the module."""
    yield path.stem, 1
    yield from bindings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name, node.lineno


def test_an_idea_has_one_word() -> None:
    replacements = {word: today for today, words in REPLACED.items() for word in words.split()}
    old_words = [
        f"{path}:{line}: {name}, which is called {replacements[name.strip('_')]} today"
        for path, tree in trees(*CODE, "benchmarks", "tests", "docs").items()
        if not path.as_posix().startswith(MINIATURES)
        for name, line in identifiers(path, tree)
        if name.strip("_") in replacements
        and (path.name, name.strip("_")) not in IDENTIFIER_EXCEPTIONS
    ]
    assert not old_words, "\n".join(old_words)


OLD_IN_TEXT = re.compile(r"\bverbalis\w+|\bspan_or_none\b|\btricks?\b|\bsurroundings\b")


def test_documents_and_comments_say_the_same_words() -> None:
    paths = [
        path
        for folder in (*CODE, "benchmarks", "docs", "task_cards", "tests")
        for path in sorted((REPOSITORY / folder).rglob("*"))
        if path.suffix in (".py", ".md", ".yaml", ".template") and path != Path(__file__)
    ]
    old_words = [
        f"{path.relative_to(REPOSITORY)}:{number}: {match[0]}"
        for path in (*paths, *REPOSITORY.glob("*.md"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for match in OLD_IN_TEXT.finditer(line)
    ]
    assert not old_words, "\n".join(old_words)


def module_of(path: Path) -> str:
    """`xharness.spec.cards` for harness/xharness/spec/cards.py; a package by its own name."""
    return ".".join(path.with_suffix("").parts[1:]).removesuffix(".__init__")


def imports(tree: ast.Module, modules: frozenset[str]) -> Iterator[tuple[str, str]]:
    """(module, name) of what is imported from `modules`; the name is empty for a whole module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in modules:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner, "") if inner in modules else (node.module, alias.name)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name in modules)


def only_readers() -> dict[str, str]:
    """Module of the core that one other reads, to that other."""
    core = {module_of(path): tree for path, tree in trees("harness").items()}
    modules = frozenset(core)
    packages = {module_of(path) for path in trees("harness") if path.name == "__init__.py"}
    origins = {
        (package, name): module
        for package in packages
        for module, name in imports(core[package], modules)
    }
    readers: dict[str, set[str]] = {name: set() for name in core}
    for reader, tree in core.items():
        for module, name in imports(tree, modules):
            for source in {module, origins.get((module, name), module)}:
                readers[source].add(reader)
    return {name: next(iter(names)) for name, names in readers.items() if len(names) == 1}


def test_modules_are_not_slices_of_their_only_reader() -> None:
    readers, count = only_readers(), len(trees("harness"))
    assert len(readers) / count <= MOST_ONE_READER_MODULES, (
        f"{len(readers)} of {count} modules ({len(readers) / count:.0%}) are read by exactly "
        "one other; what only its neighbour needs lives with its neighbour:\n"
        + "\n".join(f"{name} <- {readers[name]}" for name in sorted(readers))
    )


def test_few_modules_are_imported_by_exactly_one_other() -> None:
    core = {module_of(path): tree for path, tree in trees("harness").items()}
    importers: dict[str, set[str]] = {name: set() for name in core}
    for importer, tree in core.items():
        for module, _ in imports(tree, frozenset(core)):
            importers[module].add(importer)
    single = [name for name, names in importers.items() if len(names) == 1]
    assert len(single) / len(core) <= MOST_SINGLE_IMPORTS, single


def test_small_thoughts_live_with_their_only_reader() -> None:
    lines = {
        module_of(path): len((REPOSITORY / path).read_text(encoding="utf-8").splitlines())
        for path in trees("harness")
    }
    small = [
        f"{name}, {lines[name]} lines, is read by {reader} alone"
        for name, reader in only_readers().items()
        if lines[name] < LEAST_LINES and not name.startswith(ONE_FILE_EACH)
    ]
    assert not small, "\n".join(small)


def functions(*folders: str) -> Iterator[tuple[Path, ast.FunctionDef]]:
    for path, tree in trees(*folders).items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                yield path, node


def line_count(node: ast.FunctionDef | ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def code_line_count(function: ast.FunctionDef) -> int:
    has_docstring = ast.get_docstring(function, clean=False) is not None
    return line_count(function) - (line_count(function.body[0]) if has_docstring else 0)


def test_functions_fit_on_a_screen() -> None:
    too_long = [
        f"{path}:{function.lineno}: {function.name} has {line_count(function)} lines"
        for path, function in functions(*CODE)
        if line_count(function) > MOST_LINES
    ]
    assert not too_long, "\n".join(too_long)


def test_functions_are_short() -> None:
    counts = {
        f"{path}:{function.lineno}: {function.name}": code_line_count(function)
        for path, function in functions(*CODE)
    }
    longest = sorted(counts, key=counts.__getitem__, reverse=True)[:20]
    assert median(counts.values()) <= MEDIAN_LINES, "\n".join(
        f"{name} has {counts[name]} lines" for name in longest
    )


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("def f(): return 1", 1),
        ("@decorated\ndef f():\n    return 1", 2),
        ('def f():\n    """What it is.\n\n    And more.\n    """\n    return 1', 2),
        ('def f():\n    """What it is."""', 1),
        ("def f(\n    a,\n):\n    # why\n\n    return a", 6),
    ],
)
def test_lines_are_those_of_signature_and_body(code: str, lines: int) -> None:
    (function,) = ast.parse(code).body
    assert isinstance(function, ast.FunctionDef)
    assert code_line_count(function) == lines


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("for one in scores: pass", ["one"]),
        ("def f(self, *args, found=1): pass", ["args", "found"]),
        ("[place for place in ()]", ["place"]),
        ("try: pass\nexcept ValueError as what: pass", ["what"]),
        ("if (given := 1): pass", ["given"]),
        ("card.found = card['one']", ["found"]),
        ("card.found()", []),
    ],
)
def test_bindings_of_every_form_are_counted(code: str, names: list[str]) -> None:
    assert sorted(name for name, _ in bindings(ast.parse(code))) == sorted(names)
