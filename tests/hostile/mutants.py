"""Inputs that were changed at random: every one ends with a message and a documented exit code."""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import signal
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from tests.cli.project import invoke
from tests.hostile.scenes import LIGHT, Scene, Target

DOCUMENTED = (0, 1, 2, 3)
MOST_SECONDS, MOST_KIB = 10, 2 * 2**20
_SCRAPS: Sequence[bytes] = (
    b"[" * 3000, b"{" * 300, b'{"a":' * 200, b"9" * 5000, b"-1", b"1e999", b"NaN", b".inf", b"null",
    b"true", b"[]", b"{}", b'""', b"~", b"\\ud83d", b"\xff\xfe", b"\x00", b"\x1b[2J", b"&a *a",
    b"*a", b"!!python/object:os.system x", b"../../etc/passwd",
    b"/etc/passwd", b"a" * 300, b"\t", b"\r",
    b"\n", b": ", b"- ", b"'", b'"', b"%", b"\xe2\x80\xae", b"0x7fffffffffffffff", b"2026-13-45",
    b"=cmd|x", b"<script>", b"[x](javascript:x)", b"*" * 50, b"{language}", b"{x}", b"$x^$", b"0",
    b"1000000000", b"\xed\xa0\x80", b"r\xff\xff\xff\xff",
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


def mutated_words(words: Sequence[str], random: Random) -> list[str]:
    """A command with one word after its name changed; no word leads out of the folder."""
    changed = [*words]
    index = random.randrange(1, len(words))
    word = os.fsdecode(mutated(os.fsencode(words[index]), random))
    # No shell passes a NUL; and what is written must stay in the folder that is thrown away.
    changed[index] = word.replace("\0", "").replace("/", "_").replace("..", "_")
    return changed


@dataclass
class MutantReport:
    """How many inputs were tried, and which ended badly."""

    tried: int = 0
    slowest: float = 0
    largest_kib: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, other: MutantReport) -> None:
        """Take over what was found elsewhere."""
        self.tried += other.tried
        self.slowest = max(self.slowest, other.slowest)
        self.largest_kib = max(self.largest_kib, other.largest_kib)
        self.faults += other.faults

    def __str__(self) -> str:
        most = f"the slowest {self.slowest:.1f} s, the largest {self.largest_kib >> 10} MiB"
        return f"{self.tried} mutated inputs, {len(self.faults)} with a defect, {most}"


class Mutants:
    """Mutated files of some scenes, each tried in a child of this process.

    The scenes are made once, and what reads them is imported once: a child costs what its command
    costs.
    """

    def __init__(self, folder: Path, scenes: Mapping[str, Scene] = LIGHT) -> None:
        self._folder = folder
        self._targets: list[tuple[str, Target]] = []
        # Otherwise the scenes would share, and leave behind, the user's own.
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XHARNESS_CACHE", "cache")
            for name, scene in scenes.items():
                sound = folder / "sound" / name
                sound.mkdir(parents=True)
                self._targets += [(name, target) for target in scene(sound)]

    def __len__(self) -> int:
        return len(self._targets)

    def attack(self, numbers: Iterable[int], seed: int) -> MutantReport:
        """Try the mutants with these numbers; each number names a target and its change."""
        report = MutantReport()
        for number in numbers:
            name, target = self._targets[number % len(self)]
            content, words = self._mutate(name, target, Random(f"{seed} {number}"))
            work = self._folder / f"work-{os.getpid()}"
            shutil.rmtree(work, ignore_errors=True)
            shutil.copytree(self._folder / "sound" / name, work, symlinks=True)
            if target.path is not None:
                (work / target.path).write_bytes(content)
            ending = Ending.of(work, words)
            report.tried += 1
            report.slowest = max(report.slowest, ending.seconds)
            report.largest_kib = max(report.largest_kib, ending.kib)
            if (fault := ending.fault()) is not None:
                saved = self._folder / f"fault-{number}"
                saved.write_bytes(content)
                report.faults.append(f"{number}: {target.name} ({saved}) {words}: {fault}")
        return report

    def _mutate(self, scene: str, target: Target, random: Random) -> tuple[bytes, Sequence[str]]:
        if target.path is None:
            return b"", mutated_words(target.words, random)
        content = (self._folder / "sound" / scene / target.path).read_bytes()
        return mutated(content, random), target.words


@dataclass(frozen=True)
class Ending:
    """How a command ended that was typed in a process of its own."""

    status: int
    seconds: float
    kib: int
    exit_code: int | None = None
    out: str = ""
    err: str = ""

    @classmethod
    def of(cls, folder: Path, words: Sequence[str]) -> Ending:
        """Type the command in `folder`, in a child of this process; it is killed after a minute."""
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            _type(folder, words, reader, writer)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            answer = pipe.read()
        _, status, usage = os.wait4(child, 0)
        exit_code, out, err = json.loads(answer) if answer else (None, "", "")
        # Of its own processor, because other processes share this machine.
        seconds = usage.ru_utime + usage.ru_stime
        return cls(status, seconds, usage.ru_maxrss, exit_code, out, err)

    def fault(self) -> str | None:
        """What is wrong with it; None where nothing is."""
        if self.status or self.exit_code is None:
            return f"died: status {self.status}"
        if "Traceback" in self.err or "run with --debug" in self.err:
            return f"a defect: {self.err[-600:]}"
        if self.exit_code not in DOCUMENTED:
            return f"exit code {self.exit_code}: {self.err[-600:]}"
        if self.exit_code and not (self.out + self.err).strip():
            return f"exit code {self.exit_code} without a message"
        if self.seconds > MOST_SECONDS or self.kib > MOST_KIB:
            return f"{self.seconds:.0f} s and {self.kib >> 10} MiB"
        return None


def _type(folder: Path, words: Sequence[str], reader: int, writer: int) -> None:
    """The command in this process, which ends with it; what is to be known of it is written."""
    os.close(reader)
    signal.alarm(60)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    # Beyond what is a fault already, so that no mutant takes the machine down.
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + 2 * MOST_KIB * 1024, most))
    os.environ["XHARNESS_CACHE"] = "cache"
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        result = invoke(folder, *words)
    texts = (result.stdout[-3000:], result.stderr[-3000:])
    os.write(writer, json.dumps([result.exit_code, *texts]).encode())
    os._exit(0)


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")
