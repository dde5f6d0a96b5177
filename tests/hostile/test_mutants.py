"""A few of the mutated inputs that `make attack` tries by the thousand."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from tests.hostile import mutants
from tests.hostile.mutants import Ending, Mutants, mutated, mutated_words


def test_mutated_inputs_end_with_a_message(tmp_path: Path) -> None:
    light = Mutants(tmp_path)
    report = light.attack(Random(5).sample(range(len(light)), 40), seed=5)
    assert report.tried == 40
    assert not report.faults, report.faults


def test_a_mutant_is_another_input() -> None:
    random = Random(3)
    assert sum(mutated(b"name: x\nmodels: [a, b]\n", random) == b"name: x\nmodels: [a, b]\n"
               for _ in range(200)) < 40  # fmt: skip


def test_mutated_words_stay_in_their_folder() -> None:
    random = Random(4)
    for _ in range(200):
        words = mutated_words(["run", "study.yaml", "--store", "store"], random)
        assert words[0] == "run"
        assert not any("/" in word or ".." in word or "\0" in word for word in words)


PLUGIN = "import os, sys, time\nfrom xharness import hookimpl\n\n"


def _ending(folder: Path, code: str) -> Ending:
    (folder / "bad.py").write_text(PLUGIN + code)
    return Ending.of(folder, ("plugins", "--plugin", "bad.py"))


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("os._exit(0)", "died: status 0"),
        ("os.kill(os.getpid(), 9)", "died: status 9"),
        ("print('run with --debug', file=sys.stderr)", "a defect"),
        ("os.environ.clear()", None),
    ],
)
def test_what_counts_as_a_defect(tmp_path: Path, code: str, fault: str | None) -> None:
    message = _ending(tmp_path, code).fault()
    assert message is None if fault is None else fault in str(message)


def test_time_and_memory_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calm = _ending(tmp_path, "")
    monkeypatch.setattr(mutants, "MOST_SECONDS", calm.seconds + 0.3)
    monkeypatch.setattr(mutants, "MOST_KIB", calm.kib + 2**17)
    assert _ending(tmp_path, "").fault() is None
    slow = "end = time.process_time() + 0.9\nwhile time.process_time() < end: pass"
    for code in (slow, "big = bytearray(b'x') * (200 << 20)"):
        assert " MiB" in str(_ending(tmp_path, code).fault())


def test_the_environment_of_other_tests_is_as_before() -> None:
    assert os.environ.get("XHARNESS_CACHE") != "cache"
