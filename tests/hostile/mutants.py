"""Inputs that were changed at random: every one ends with a message and a documented exit code."""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.cli.project import Project, fresh, invoke

DOCUMENTED = (0, 1, 2, 3)
MOST_SECONDS, MOST_KIB = 10, 2 * 2**20
_SCRAPS: Sequence[bytes] = (
    b"[" * 3000, b"{" * 300, b'{"a":' * 200, b"9" * 5000, b"-1", b"1e999", b"NaN", b".inf", b"null",
    b"true", b"[]", b"{}", b'""', b"~", b"\\ud83d", b"\xff\xfe", b"\x00", b"\x1b[2J", b"&a *a",
    b"*a", b"!!python/object:os.system x", b"../../etc/passwd",
    b"/etc/passwd", b"a" * 300, b"\t", b"\r",
    b"\n", b": ", b"- ", b"'", b'"', b"%", b"\xe2\x80\xae", b"0x7fffffffffffffff", b"2026-13-45",
    b"=cmd|x", b"<script>", b"[x](javascript:x)", b"*" * 50, b"{language}", b"{x}",
)  # fmt: skip


def mutated(content: bytes, random: Random) -> bytes:
    """`content` with one to three changes: bits, scraps, lines and tokens."""
    result = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 3))):
        first = random.randrange(len(result) + 1)
        last = min(len(result), first + random.choice((0, 1, 4, 20, 200)))
        change = random.randrange(6)
        if change == 0 and result:
            result[min(first, len(result) - 1)] ^= 1 << random.randrange(8)
        elif change == 1:
            del result[first:last]
        elif change == 2:
            result[first:last] = random.choice(_SCRAPS)
        elif change == 3:
            lines = bytes(result).split(b"\n")
            lines.insert(random.randrange(len(lines)), random.choice(lines))
            result = bytearray(b"\n".join(lines))
        elif change == 4:
            words = bytes(result).split(b" ")
            words[random.randrange(len(words))] = random.choice(_SCRAPS)
            result = bytearray(b" ".join(words))
        else:
            result[first:first] = bytes(result[first:last])
    return bytes(result)


@dataclass(frozen=True)
class Target:
    """A file that is changed, and the command that then reads it."""

    name: str
    path: str
    words: tuple[str, ...]


@dataclass
class MutantReport:
    """How many inputs were tried, and which ended badly."""

    tried: int = 0
    slowest: float = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        faults = f"{len(self.faults)} with a defect"
        return f"{self.tried} mutated inputs, {faults}, the slowest {self.slowest:.1f} s"


_RUN = ("run", "study.yaml", "--cards", "cards", "--store", "store", "--offline")
_PLAN = ("plan", "study.yaml", "--cards", "cards", "--store", "store", "--offline")


def targets(folder: Path) -> list[Target]:
    """A project with a file of every sort that comes from outside."""
    project = fresh(folder)
    _write_readers(project)
    result = project.run("--offline")
    assert result.exit_code == 0, result.stderr
    receipts = sorted((folder / "store").glob("??/*/receipt.json"))
    receipt = str(receipts[0].relative_to(folder))
    cards = [f"cards/{path.name}" for path in sorted((folder / "cards").iterdir())]
    return [
        Target("study", "study.yaml", _PLAN),
        Target("study, run", "study.yaml", _RUN),
        *(Target(card, card, ("cards", "validate", card)) for card in cards),
        *(Target(f"{card}, planned", card, _PLAN) for card in cards),
        *(
            Target(f"rows {name}", f"data/{name}", (*_RUN, "--output", f"out-{name}"))
            for name in sorted(path.name for path in (folder / "data").iterdir())
        ),
        Target("receipt", receipt, _RUN),
        Target("board", "scores.jsonl", ("leaderboard", "build", ".")),
        Target("board, checked", "scores.jsonl", ("leaderboard", "check", ".")),
        Target("evidence", "evidence.parquet", ("leaderboard", "build", ".")),
        Target("import", "table.csv", ("import", "table.csv", "--to", "imported")),
        Target("import json", "results.json", ("import", "results.json", "--to", "imported")),
        Target("plugin", "plugin.py", ("plugins", "--plugin", "plugin.py")),
        Target("lock", "xharness.lock", _PLAN),
    ]


def _write_readers(project: Project) -> None:
    rows = [json.loads(line) for line in (project.folder / "data/mood.en.test.jsonl").open()]
    tsv = "\n".join(["text\tlabel", *(f"{row['text']}\t{row['label']}" for row in rows)])
    formats = {"tsv": tsv, "json": json.dumps(rows), "csv": tsv.replace("\t", ",")}
    source = project.cards["mood"]["sources"][0]
    for reader, text in formats.items():
        (project.folder / f"data/mood.{reader}").write_text(text, encoding="utf-8")
        options = {"reader": reader, "path": f"data/mood.{reader}", "splits": {"test": "test"}}
        card = project.cards["mood"] | {
            "name": f"mood_{reader}",
            "languages": ["en"],
            "sources": [source | options],
            "train_on": ["mood"],
            "rows": {"test": 20},
        }
        project.cards[f"mood_{reader}"] = card
    project.study["targets"] = ["mood", *(f"mood_{reader}" for reader in formats)]
    project.study["models"] = [{"name": "most", "backend": "majority"}]
    (project.folder / "table.csv").write_text(
        "model,task,metric,lang,score\nm,xnli,accuracy,de,70.5\n"
    )
    (project.folder / "results.json").write_text(
        json.dumps({"results": {"xnli_de": {"acc,none": 0.5}}, "configs": {}, "model_name": "m"})
    )
    (project.folder / "plugin.py").write_text("from xharness import hookimpl\n\nNAME = 'x'\n")
    (project.folder / "xharness.lock").write_text('{"datasets": {}, "urls": {}}\n')
    project.write()


def attack(
    folder: Path, count: int, random: Random, tell: Callable[[str], object] = lambda text: None
) -> MutantReport:
    """Change files of a project at random, so many times, and have a command read each."""
    sound, report = folder / "sound", MutantReport()
    sound.mkdir(parents=True)
    all_targets = targets(sound)
    for number in range(count):
        target = all_targets[number % len(all_targets)]
        work = folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(sound, work, symlinks=True)
        content = mutated((sound / target.path).read_bytes(), random)
        (work / target.path).write_bytes(content)
        began = time.monotonic()
        fault = _fault(work, target)
        report.slowest = max(report.slowest, time.monotonic() - began)
        report.tried += 1
        if fault is not None:
            saved = folder / f"fault-{number}"
            saved.write_bytes(content)
            report.faults.append(f"{target.name} ({saved}): {fault}")
            tell(report.faults[-1])
    return report


def _fault(work: Path, target: Target) -> str | None:
    """What is wrong with how the command ended; None where it ended well."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        signal.alarm(6 * MOST_SECONDS)
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            result = invoke(work, *target.words)
        kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        os.write(writer, json.dumps([result.exit_code, kib, result.stderr[-3000:]]).encode())
        os._exit(0)
    os.close(writer)
    began = time.process_time()
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    _, status, usage = os.wait4(child, 0)
    if status or not answer:
        return f"died: status {status}"
    exit_code, kib, err = json.loads(answer)
    if "Traceback" in err or "run with --debug" in err:
        return f"a defect: {err[-400:]}"
    if exit_code not in DOCUMENTED:
        return f"exit code {exit_code}: {err[-400:]}"
    seconds = usage.ru_utime + usage.ru_stime - (time.process_time() - began)
    if seconds > MOST_SECONDS or kib > MOST_KIB:
        return f"{seconds:.0f} s and {kib >> 10} MiB"
    return None
