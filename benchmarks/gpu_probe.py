"""What a machine with a GPU has to show: `python -m benchmarks.gpu_probe --out FILE.json`.

One process, one part after the other; after each the file holds what is known so far, errors too.
Where there is no GPU, `--tiny` runs the same parts in small on the CPU, to find the probe's faults.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import math
import os
import statistics
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

SHAPES = {"small": (384, 12, 12), "large": (1024, 24, 16), "tiny": (32, 2, 2)}
"""Width, layers, heads: multilingual E5-small's, XLM-R-large's, and one for the probe itself."""
_VOCABULARY = 250_037
_HALF = torch.bfloat16

with contextlib.suppress(ImportError):
    import triton
    import triton.language as tl

    @triton.jit
    def triton_double(source, target, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]  # noqa: N803
        """The least kernel there is."""
        offsets = tl.arange(0, BLOCK)
        tl.store(target + offsets, 2 * tl.load(source + offsets))


@dataclass
class Probe:
    """Where the parts run, and what they have found."""

    device: torch.device
    tiny: bool
    out: Path
    data_root: Path
    tokenizer: Path | None
    seconds: float
    findings: dict[str, Any] = field(default_factory=dict)
    began: float = field(default_factory=time.perf_counter)

    @property
    def card(self) -> bool:
        """Whether there is a GPU."""
        return self.device.type == "cuda"

    def run(self, name: str, part: Callable[[Probe], Any]) -> None:
        """Run a part, and write what it findings or how it failed."""
        began = time.perf_counter()
        if began - self.began > self.seconds:
            self.findings[name] = "left out: time is up"
        else:
            try:
                self.findings[name] = part(self)
            except Exception as error:  # one part's fault is no reason to lose the others
                self.findings[name] = {
                    "error": f"{type(error).__name__}: {error}"[:1000],
                    "where": traceback.format_exc()[-1500:],
                }
        self.findings.setdefault("seconds", {})[name] = round(time.perf_counter() - began, 2)
        self.out.write_text(json.dumps(self.findings, indent=1, default=str), encoding="utf-8")
        print(name, json.dumps(self.findings[name], default=str)[:1500], flush=True)
        if self.card:
            torch.cuda.empty_cache()


def timed(probe: Probe, function: Callable[[], Any], times: int = 20) -> float:
    """Milliseconds of one call on the device, the median of several."""
    function()
    if not probe.card:
        began = time.perf_counter()
        function()
        return 1e3 * (time.perf_counter() - began)
    marks = [torch.cuda.Event(enable_timing=True) for _ in range(times + 1)]
    torch.cuda.synchronize()
    for mark in marks[:-1]:
        mark.record()
        function()
    marks[-1].record()
    torch.cuda.synchronize()
    spans = [first.elapsed_time(last) for first, last in itertools.pairwise(marks)]
    return statistics.median(spans)


# --- the machine ---------------------------------------------------------------------------------


def machine(probe: Probe) -> dict[str, Any]:
    """Versions, the ceilings of products and copies, and what a graph's nodes cost."""
    import transformers

    facts: dict[str, Any] = {"torch": torch.__version__, "transformers": transformers.__version__}
    size = 512 if probe.tiny else 8192
    if probe.card:
        facts["name"] = torch.cuda.get_device_name(probe.device)
        facts["capability"] = torch.cuda.get_device_capability(probe.device)
    first, second = (torch.randn(size, size, device=probe.device).bfloat16() for _ in range(2))
    facts["product_tflops"] = 2 * size**3 / timed(probe, lambda: first @ second) / 1e9
    source = torch.empty(2**20 if probe.tiny else 2**29, dtype=torch.float32, device=probe.device)
    target = torch.empty_like(source)
    rate = 8 * source.numel() / timed(probe, lambda: target.copy_(source)) / 1e9
    facts["copy_tb_per_s"] = rate
    if probe.card:
        facts |= _nodes()
    return facts


def _nodes() -> dict[str, Any]:
    from xharness_hf.training.graphs import CudaGraphs

    small = torch.zeros(1024, device="cuda")

    def thousand() -> None:
        for _ in range(1000):
            small.add_(1)

    recorder = CudaGraphs(torch.device("cuda:0"))
    with recorder.running():
        thousand()
        replay = recorder.record(thousand)
        recorder.wait()
        began = time.perf_counter()
        replay()
        host = time.perf_counter() - began
        recorder.wait()
        began = time.perf_counter()
        for _ in range(10):
            replay()
        recorder.wait()
        node = (time.perf_counter() - began) / 10_000
    return {"us_a_node": 1e6 * node, "host_us_a_replay": 1e6 * host}


def compilers(probe: Probe) -> dict[str, Any]:
    """Whether kernels of one's own can be compiled here, and how long the first takes."""
    import shutil

    facts: dict[str, Any] = {"gcc": shutil.which("gcc"), "cc": shutil.which("cc")}
    values = torch.arange(1024, dtype=torch.float32, device=probe.device)
    target = torch.empty_like(values)
    began = time.perf_counter()
    try:
        import triton

        facts["triton"] = triton.__version__
        doubled: Any = triton_double
        doubled[(1,)](values, target, BLOCK=1024)
        facts["triton works"] = bool(torch.equal(target, values * 2))
    except Exception as error:
        facts["triton works"] = f"{type(error).__name__}: {error}"[:500]
    facts["triton_s"] = time.perf_counter() - began
    began = time.perf_counter()
    try:
        source = """extern "C" __global__ void triple(const float* a, float* b) {
            b[threadIdx.x] = 3 * a[threadIdx.x]; }"""
        compiled: Any = torch.cuda._compile_kernel(source, "triple")  # type: ignore[attr-defined]
        compiled((1, 1, 1), (1024, 1, 1), (values, target))
        facts["nvrtc works"] = bool(torch.equal(target, values * 3))
    except Exception as error:
        facts["nvrtc works"] = f"{type(error).__name__}: {error}"[:500]
    facts["nvrtc_s"] = time.perf_counter() - began
    return facts


def bias_gradients(probe: Probe) -> dict[str, Any]:
    """Microseconds of a sum over rows, as torch sums, and as products with ones."""
    findings: dict[str, Any] = {}
    for tokens in (64,) if probe.tiny else (512, 1536, 8320):
        for width in (32,) if probe.tiny else (384, 1152, 1024, 3072, 4096):
            grad = torch.randn(tokens, width, device=probe.device).to(_HALF)
            ones = torch.ones(1, tokens, device=probe.device, dtype=_HALF)
            column = ones.view(-1)
            ways: dict[str, Callable[[], Tensor]] = {
                "sum": partial(torch.sum, grad, 0),
                "row": partial(torch.mm, ones, grad),
                "vector": partial(torch.mv, grad.t(), column),
            }
            findings[f"{tokens, width}"] = {
                name: round(1e3 * _replayed_ms(probe, way), 2) for name, way in ways.items()
            }
    return findings


def _replayed_ms(probe: Probe, function: Callable[[], Any], times: int = 20) -> float:
    """Milliseconds of one call when many are replayed as one graph."""
    if not probe.card:
        return timed(probe, function)
    from xharness_hf.training.graphs import CudaGraphs

    recorder = CudaGraphs(probe.device)
    with recorder.running():
        function()

        def repeated() -> None:
            for _ in range(times):
                function()

        replay = recorder.record(repeated)
        spent = timed(probe, replay, 5) / times
        recorder.wait()
    return spent


def adamw(probe: Probe) -> dict[str, Any]:
    """AdamW by one kernel and by torch: agreement, milliseconds, and bytes a second."""
    from xharness_hf.speed import adamw_kernel
    from xharness_hf.speed.adamw_kernel import AdamWKernel, AdamWScalars, AdamWSlot

    if not probe.card:
        return {"left out": "no GPU"}
    reason = adamw_kernel.refusal(probe.device)
    facts: dict[str, Any] = {"refused": reason}
    if reason is not None:
        return facts
    count, size = 24 * 6, 2**21
    room = partial(torch.zeros, size, device=probe.device)
    slots = [
        AdamWSlot(room(), room(), room(), torch.zeros((), device=probe.device),
                  room(dtype=_HALF), room(dtype=_HALF), 0.1)
        for _ in range(count)
    ]  # fmt: skip
    kernel = AdamWKernel(slots, 1000, (0.9, 0.999), 1e-8)
    numbers = [torch.tensor(number, device=probe.device) for number in (1e-5, 1.0, 0.0)]
    spent = _replayed_ms(probe, lambda: kernel.step(AdamWScalars(*numbers)), 5)
    facts |= {"kernel_ms": spent, "kernel_tb_per_s": 28 * count * size / spent / 1e9}
    masters = [torch.nn.Parameter(slot.master) for slot in slots]
    for master in masters:
        master.grad = torch.zeros_like(master)
    optimizer = torch.optim.AdamW(masters, lr=numbers[0], fused=True, capturable=True)
    optimizer.grad_scale, optimizer.found_inf = numbers[1], numbers[2]  # type: ignore[attr-defined]
    copies: Any = [slot.copy for slot in slots]

    def by_torch() -> None:
        optimizer.step()
        torch._foreach_copy_(copies, [master.data for master in masters])

    facts["torch_ms"] = _replayed_ms(probe, by_torch, 5)
    return facts


# --- attention -----------------------------------------------------------------------------------


def attention(probe: Probe) -> dict[str, Any]:
    """The kernel for windows in a row against attention window by window."""
    cases = {
        "plain": {}, "causal": {"causal": True}, "shared keys": {"keys": 2},
        "window both ways": {"window": 20}, "window causal": {"window": 20, "causal": True},
        "width 32": {"width": 32}, "width 128": {"width": 128}, "width 256": {"width": 256},
        "float32": {"dtype": torch.float32}, "float32 causal": {
            "dtype": torch.float32, "causal": True},
    }  # fmt: skip
    findings: dict[str, Any] = {}
    for name, case in cases.items():
        try:
            findings[name] = _against_windows(probe, **case)
        except Exception as error:
            findings[name] = f"{type(error).__name__}: {error}"[:300]
    return findings


def _against_windows(
    probe: Probe, causal: bool = False, keys: int = 8, width: int = 64,
    window: int | None = None, dtype: torch.dtype = _HALF,
) -> dict[str, float]:  # fmt: skip
    """Largest differences of outputs and gradients, with fillers and empty windows."""
    from xharness_hf.speed import varlen

    torch.manual_seed(0)
    ends = [0, 40, 41, 169, 169, 200, 256, 256, 256]
    borders = torch.tensor(ends, dtype=torch.int32, device=probe.device)
    heads = [torch.randn(256, count, width, device=probe.device) for count in (8, keys, keys)]
    grad = torch.randn(256, 8, width, device=probe.device)

    def outputs(packed: bool) -> list[Tensor]:
        rows = [part.clone().requires_grad_() for part in heads]
        cast = [row.to(dtype if packed else torch.float32) for row in rows]
        options: dict[str, Any] = {"causal": causal, "window": window}
        out = (
            varlen.attention(*cast, borders, 128, **options)
            if packed
            else varlen._masked(*cast, borders, causal, 0.0, None, window)
        )
        return [out.float(), *torch.autograd.grad(out.float(), rows, grad)]

    pairs = zip(("out", "query", "key", "value"), outputs(True), outputs(False), strict=True)
    return {name: float((packed - padded).abs().max()) for name, packed, padded in pairs}


def dropout(probe: Probe) -> dict[str, Any]:
    """The share that is dropped, and whether a replay drops what an eager call does."""
    from xharness_hf.speed import varlen
    from xharness_hf.training.graphs import CudaGraphs

    if not probe.card:
        return {"left out": "no GPU"}
    findings: dict[str, Any] = {}
    lone = torch.ones(8192, 16, 64, device=probe.device, dtype=_HALF)
    borders = torch.arange(8193, dtype=torch.int32, device=probe.device)
    for dtype in (_HALF, torch.float32):
        ones = lone.to(dtype)
        out = varlen.attention(ones, ones, ones, borders, 1, causal=False, dropout=0.1)
        findings[f"dropped, {dtype}"] = float((out[..., 0] == 0).float().mean())
    heads = torch.randn(512, 12, 32, device=probe.device, dtype=_HALF, requires_grad=True)
    row = torch.arange(0, 513, 32, dtype=torch.int32, device=probe.device)
    draws = [torch.zeros_like(heads), torch.zeros_like(heads)]

    def call() -> None:
        out = varlen.attention(heads, heads, heads, row, 64, causal=False, dropout=0.1)
        draws[0].copy_(out.detach())
        draws[1].copy_(torch.autograd.grad(out.float().square().sum(), heads)[0])

    recorder = CudaGraphs(probe.device)
    with recorder.running():
        results = []
        torch.manual_seed(5)
        call()
        results.append([part.clone() for part in draws])
        replay = recorder.record(call)
        for ends in (row.clone(), torch.arange(0, 513, 64, device=probe.device)):
            row.copy_(torch.cat([ends, ends[-1:].repeat(17 - len(ends))]).to(torch.int32))
            for step in (replay, call):
                torch.manual_seed(5)
                step()
                results.append([part.clone() for part in draws])
        recorder.wait()
    first, replayed, eager, moved, moved_eager = results
    findings["replay = eager"] = all(map(torch.equal, replayed, first))
    findings["eager again"] = all(map(torch.equal, eager, first))
    findings["moved borders, replay = eager"] = all(map(torch.equal, moved, moved_eager))
    findings["moved borders matter"] = not torch.equal(moved[0], first[0])
    single = torch.ones(4096, 16, 1, 64, device=probe.device, dtype=_HALF)
    try:
        with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.CUDNN_ATTENTION):
            attend = torch.nn.functional.scaled_dot_product_attention
            out = attend(single, single, single, None, 0.1)
        findings["dropped by cuDNN"] = float((out[..., 0] == 0).float().mean())
    except RuntimeError as error:
        findings["dropped by cuDNN"] = str(error)[:300]
    return findings


def attention_speed(probe: Probe) -> dict[str, Any]:
    """Milliseconds forward and backward of a layer's attention."""
    findings = {}
    cases = [(512, 12, 32, 16), (512, 16, 64, 16), (9600, 16, 64, 300)]
    for tokens, heads, width, length in [(64, 2, 8, 16)] if probe.tiny else cases:
        for longest in (128, 384):
            for deterministic in (False, True):
                if longest >= length:
                    torch.use_deterministic_algorithms(deterministic)
                    name = f"{tokens, heads, width} longest {longest}, {deterministic=}"
                    findings[name] = _layer_ms(probe, tokens, heads, width, length, longest)
    torch.use_deterministic_algorithms(False)
    return findings


def _layer_ms(
    probe: Probe, tokens: int, heads: int, width: int, length: int, longest: int
) -> float:
    from xharness_hf.speed import varlen

    shape = (tokens, heads, width)
    rows = [torch.randn(shape, device=probe.device, dtype=_HALF).requires_grad_() for _ in range(3)]
    ends = [*range(0, tokens, length), tokens]
    borders = torch.tensor(ends, dtype=torch.int32, device=probe.device)
    grad = torch.ones(shape, device=probe.device, dtype=_HALF)

    def both() -> None:
        out = varlen.attention(*rows, borders, longest, causal=False, dropout=0.1)
        torch.autograd.grad(out, rows, grad)

    return timed(probe, both)


# --- training ------------------------------------------------------------------------------------


class Workshop:
    """Models, texts and trainings of one shape and task."""

    def __init__(self, probe: Probe, shape: str, task: str) -> None:
        from benchmarks.material import Material
        from benchmarks.measurement import Setting

        self.probe, self.shape = probe, shape
        self.work = Path(tempfile.mkdtemp(prefix="probe-"))
        setting = Setting(probe.data_root, self.work, self.work, precision="bf16")
        self.material = Material(setting, task)
        self.tokens = _tokens(probe)

    def examples(self, count: int) -> list[Any]:
        """English ones to learn from, read once."""
        name = self.material.card.name
        if name not in _CACHE:
            _CACHE[name] = self.material.train_examples(7000)
        return list(_CACHE[name][:count])

    def config(self) -> Any:
        """Of the backbone."""
        from transformers import XLMRobertaConfig

        width, layers, heads = SHAPES[self.shape]
        return XLMRobertaConfig(
            vocab_size=2000 if self.probe.tiny else _VOCABULARY, hidden_size=width,
            num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=4 * width,
            max_position_embeddings=514, type_vocab_size=1, pad_token_id=self.tokens.pad,
        )  # fmt: skip

    def model(self) -> Any:
        """A fresh one, its weights the same each time."""
        from transformers import XLMRobertaModel

        from xharness_hf.backbone.backbone import Backbone
        from xharness_hf.heads.heads import Heads
        from xharness_hf.model import HfModel

        torch.manual_seed(1)
        with torch.device(self.probe.device):
            backbone = XLMRobertaModel(self.config(), add_pooling_layer=False)
        return HfModel(self.probe.device, (Backbone(backbone, causal=False), self.tokens, Heads()))

    def fit(
        self, examples: int, steps: int, name: str = "fit", switches_off: str = "", **changes: Any
    ) -> dict[str, Any]:
        """The facts of a training, its losses, a digest of the weights, and times."""
        from xharness import TrainingSession, TrainingSet

        card, task_type = self.material.card, self.material.task_type
        feed = TrainingSet(card, task_type, "task", card.head_name, self.examples(examples))
        session = {"progress": changes.pop("progress", lambda count, total: None)}
        session["checkpoint_seconds"] = changes.pop("checkpoint_seconds", 1e9)
        marks: list[float] = []
        report = session["progress"]

        def progress(count: int, total: int | None) -> None:
            if count == steps // 2 and self.probe.card:  # the host runs ahead of the device
                torch.cuda.synchronize()
            marks.append(time.perf_counter())
            report(count, total)

        model = self.model()
        size = {"batch_size": 4} if self.probe.tiny else {}
        recipe = self.material.recipe(steps=steps, **size | changes)
        with _environment(switches_off), _watched() as observed:
            began = time.perf_counter()
            running = TrainingSession(1, self.work / name, **session | {"progress": progress})
            facts = dict(model.fit([feed], recipe, running))
        seconds = time.perf_counter() - began
        half = steps // 2 - 1
        steady = (marks[-1] - marks[half]) / (steps // 2) if len(marks) == steps else math.nan
        return {
            "facts": facts, "seconds": seconds, "steady_ms_a_step": 1e3 * steady,
            "weights": _digest(model), **observed,
        }  # fmt: skip


_CACHE: dict[str, Any] = {}


def _tokens(probe: Probe) -> Any:
    """The tokenizer that is arguments, or one learnt from the texts at hand."""
    from benchmarks.material import Material
    from benchmarks.measurement import Setting
    from xharness_hf.backbone.tokens import Tokens
    from xharness_hf.files import loading

    if "tokens" not in _CACHE:
        if probe.tokenizer is not None:
            tokenizer = loading.tokenizer(probe.tokenizer)
            _name_specials(tokenizer)
            _CACHE["tokens"] = Tokens(tokenizer, causal=False)
        else:
            from xharness_hf import scratch

            work = Path(tempfile.mkdtemp())
            shared = Material(Setting(probe.data_root, work, work), "wikiann")
            languages = shared.eval_examples(20 if probe.tiny else 100)
            texts = [" ".join(item.tokens) for _, items in languages for item in items]
            tokenizer = scratch.learnt_tokenizer(texts, 1500 if probe.tiny else 16_000)
            _CACHE["tokens"] = Tokens(tokenizer, causal=False)
    return _CACHE["tokens"]


def _name_specials(tokenizer: Any) -> None:
    """A bare tokenizer.json does not say which of its sub-words are special, and for what."""
    names = {"bos": "<s>", "eos": "</s>", "cls": "<s>", "sep": "</s>", "unk": "<unk>"}
    pieces = tokenizer.get_vocab()
    for name, piece in {**names, "pad": "<pad>", "mask": "<mask>"}.items():
        if getattr(tokenizer, f"{name}_token") is None and piece in pieces:
            setattr(tokenizer, f"{name}_token", piece)


@contextlib.contextmanager
def _environment(switches_off: str) -> Iterator[None]:
    previous = os.environ.get("XHARNESS_WITHOUT", "")
    os.environ["XHARNESS_WITHOUT"] = switches_off
    try:
        yield
    finally:
        os.environ["XHARNESS_WITHOUT"] = previous


@contextlib.contextmanager
def _watched() -> Iterator[dict[str, Any]]:
    """Losses of every step, seconds that recordings took, and replays timed before they go."""
    from xharness_hf.training.fixed_step import FixedStep
    from xharness_hf.training.graphs import CudaGraphs

    observed: dict[str, Any] = {"losses": [], "recording_s": []}
    losses, record, close = FixedStep.losses, CudaGraphs.record, FixedStep.close

    def collected(self: Any, steps: int, *, wait: bool) -> list[float]:
        new_losses = losses(self, steps, wait=wait)
        observed["losses"] += new_losses
        return new_losses

    def recorded(self: Any, function: Any) -> Any:
        began = time.perf_counter()
        replay = record(self, function)
        observed["recording_s"].append(round(time.perf_counter() - began, 3))
        return replay

    def closed(self: Any) -> None:
        if isinstance(self._recorder, CudaGraphs) and "replays" in _WANTED:
            try:
                observed["replays"] = _replays(self)
            except Exception as error:
                observed["replays"] = f"{type(error).__name__}: {error}"
        close(self)

    with contextlib.ExitStack() as stack:
        stack.callback(setattr, FixedStep, "losses", losses)
        stack.callback(setattr, FixedStep, "close", close)
        stack.callback(setattr, CudaGraphs, "record", record)
        setattr(FixedStep, "losses", collected)  # noqa: B010
        setattr(FixedStep, "close", closed)  # noqa: B010
        setattr(CudaGraphs, "record", recorded)  # noqa: B010
        yield observed


_WANTED: set[str] = set()


def _replays(step: Any) -> dict[str, Any]:
    """Milliseconds of each graph, and what kernels the largest spend them on."""
    findings: dict[str, Any] = {}
    recorder = step._recorder
    step._stream.close()
    torch.cuda.synchronize()
    with recorder.running():
        for key, replay in step._calls._replays.items():
            step._optimizer._step.fill_(0)
            spans = []
            for _ in range(8):
                first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
                recorder.wait()
                began = time.perf_counter()
                first.record()
                replay()
                last.record()
                host = time.perf_counter() - began
                recorder.wait()
                spans.append(first.elapsed_time(last))
            name = str(key)
            if key[0] == "learn":
                name += f" {step._rows._plans[key[1]].shapes[key[2]].capacity.tokens} tokens"
            findings[name] = {"ms": statistics.median(spans), "host_us": 1e6 * host}
            step._optimizer._step.fill_(0)
            findings[name] |= _kernels(replay, recorder)
    return findings


def _kernels(replay: Callable[[], None], recorder: Any) -> dict[str, Any]:
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        replay()
        recorder.wait()
    spent: dict[str, list[float]] = {}
    for event in profiled.events():
        if event.device_type == torch.autograd.DeviceType.CUDA:
            spent.setdefault(event.name[:70], []).append(event.device_time)
    longest = sorted(spent.items(), key=lambda pair: -sum(pair[1]))[:24]
    return {
        "kernels": sum(len(times) for times in spent.values()),
        "kernel_ms": sum(map(sum, spent.values())) / 1e3,
        "most": {name: [len(times), round(sum(times) / 1e3, 4)] for name, times in longest},
    }


def _digest(model: Any) -> int:
    parts = [*model.backbone.module.parameters(), *model.heads.parameters().values()]
    sums = [part.detach().contiguous().view(torch.int32).sum(dtype=torch.int64) for part in parts]
    return hash(tuple(int(total) for total in sums))


def same(probe: Probe) -> dict[str, Any]:
    """Recorded steps, eager ones, an interrupted training and one with switches off, bit by bit."""
    shop = Workshop(probe, "tiny" if probe.tiny else "small", "wikiann")
    steps = 6 if probe.tiny else 20
    runs: dict[str, Any] = {}
    count = 32 * steps

    class StopError(Exception):
        """Stands for a kill."""

    def stop(count: int, total: int | None) -> None:
        if count == steps // 2:
            raise StopError

    runs["graphs"] = shop.fit(count, steps, "a")
    runs["eager"] = shop.fit(count, steps, "b", switches_off="graphs")
    with contextlib.suppress(StopError):
        shop.fit(count, steps, "c", progress=stop, checkpoint_seconds=0)
    runs["resumed"] = shop.fit(count, steps, "c")
    runs["whole table"] = shop.fit(count, steps, "d", switches_off="active_rows")
    runs["exact"] = shop.fit(count, steps, "e", switches_off="fixed_step")
    runs["two pieces"] = shop.fit(count, steps, "f", gradient_accumulation_steps=2)
    runs["torch's AdamW"] = shop.fit(count, steps, "g", switches_off="adamw_kernel")
    runs["torch's norms"] = shop.fit(count, steps, "h", switches_off="residual_norm")
    first = runs["graphs"]
    return {
        "equal losses": {
            name: run["losses"] == first["losses"][-len(run["losses"]) :]
            for name, run in runs.items()
        },
        "equal weights": {name: run["weights"] == first["weights"] for name, run in runs.items()},
        "loss": {name: run["facts"]["loss"] for name, run in runs.items()},
        "steps": {name: run["facts"]["step"] for name, run in runs.items()},
        "losses": {name: run["losses"][:4] + run["losses"][-2:] for name, run in runs.items()},
        "recording_s": first["recording_s"],
    }


def memory(probe: Probe) -> dict[str, Any]:
    """A training that finds too little memory goes on in pieces."""
    if not probe.card:
        return {"left out": "no GPU"}
    shop = Workshop(probe, "small", "tydiqa")
    total_memory = torch.cuda.get_device_properties(probe.device).total_memory
    findings: dict[str, Any] = {"lost capture": _lost_capture(probe)}
    try:
        for room in (2.6e9, 1.7e9):
            torch.cuda.empty_cache()
            share = (torch.cuda.memory_reserved(probe.device) + room) / total_memory
            torch.cuda.set_per_process_memory_fraction(share)
            try:
                run = shop.fit(200, 5)
                findings[str(room)] = {name: run[name] for name in ("facts", "losses")}
            except Exception as error:
                findings[str(room)] = f"{type(error).__name__}: {error}"[:500]
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    return findings


def _lost_capture(probe: Probe) -> dict[str, Any]:
    """What works after captures that ran out of memory, and after one that read the device."""
    from xharness_hf.training.graphs import CudaGraphs

    draws = torch.zeros(16, device=probe.device)

    def too_large() -> None:
        torch.rand(16, device=probe.device)
        torch.empty(2**40, device=probe.device)

    def reading() -> None:
        draws.copy_(torch.rand(16, device=probe.device))
        draws.sum().item()

    def count() -> None:
        draws.add_(1)

    def draw() -> None:
        draws.copy_(torch.rand(16, device=probe.device))

    findings: dict[str, Any] = {}
    recorder = CudaGraphs(probe.device)
    with recorder.running():
        count()
        alive = recorder.record(count)
        for name, function in {"memory": too_large, "reading": reading}.items():
            try:
                recorder.record(function)
            except Exception as error:
                findings[name] = f"{type(error).__name__}: {error}"[:200]
            torch.manual_seed(3)
            draw()
            eager = draws.clone()
            replay = recorder.record(draw)
            torch.manual_seed(3)
            replay()
            findings[f"{name}: replay = eager"] = bool(torch.equal(draws, eager))
        alive()
        del alive, replay
        recorder.record(count)()
        recorder.wait()
    findings["reserved after"] = torch.cuda.memory_reserved(probe.device)
    return findings


def speed(
    shape: str, task: str, examples: int, steps: int, switches_off: str = ""
) -> Callable[[Probe], dict[str, Any]]:
    """A part: training in rows, its graphs one by one, and the floor of a step."""

    def part(probe: Probe) -> dict[str, Any]:
        shop = Workshop(probe, "tiny" if probe.tiny else shape, task)
        if probe.card:
            torch.cuda.reset_peak_memory_stats()
        _WANTED.add("replays")
        try:
            run = shop.fit(examples, steps, switches_off=switches_off)
        finally:
            _WANTED.clear()
        facts = run["facts"]
        if probe.card:
            run["peak_gb"] = torch.cuda.max_memory_allocated() / 1e9
        tokens = facts["tokens_per_second"] * facts["seconds"] / steps
        run["losses"] = run["losses"][:2] + run["losses"][-2:]
        floor = _floor(shop, tokens)
        run |= {"tokens_a_step": tokens, "floor_ms": floor}
        run["times_the_floor"] = run["steady_ms_a_step"] / sum(floor.values())
        run["ms_a_step"] = 1e3 * facts["seconds"] / steps
        if isinstance(run.get("replays"), dict):
            _rates(shop, run["replays"])
        return run

    return part


def _floor(shop: Workshop, tokens: float) -> dict[str, float]:
    """What products and the optimiser's bytes take at the ceilings of an H100."""
    width, layers, _ = SHAPES[shop.shape]
    layer_parameters = layers * 12 * width**2
    parameters = layer_parameters + (_VOCABULARY + 514) * width
    return {
        "products": 6e3 * layer_parameters * tokens / 798e12,
        "optimiser": 28e3 * parameters / 3e12,
    }


def _rates(shop: Workshop, replays: dict[str, Any]) -> None:
    """Of each row its products' TFLOP/s, the update's time counted too, as if it were full."""
    width, layers, _ = SHAPES[shop.shape]
    update = max(timing["ms"] for name, timing in replays.items() if "update" in name)
    for name, timing in replays.items():
        if "learn" in name:
            operations = 6 * 12 * layers * width**2 * int(name.split()[-2])
            timing["tflops"] = operations / (timing["ms"] + update) / 1e9


def padded(shape: str, task: str, examples: int, steps: int) -> Callable[[Probe], dict[str, Any]]:
    """A part: the same training in exact shapes, which the host launches one by one."""

    def part(probe: Probe) -> dict[str, Any]:
        shop = Workshop(probe, "tiny" if probe.tiny else shape, task)
        run = shop.fit(examples, steps, switches_off="fixed_step")
        return {name: run[name] for name in ("facts", "seconds", "steady_ms_a_step")}

    return part


def _clock(probe: Probe) -> Any:
    """A callback of `Trainer` that notes when steps have ended, from an idle device on."""
    from transformers import TrainerCallback

    class StepClock(TrainerCallback):
        """Notes times."""

        def __init__(self) -> None:
            self.marks: list[float] = []

        def on_step_end(self, args: Any, state: Any, control: Any, **options: Any) -> None:
            if probe.card and state.global_step in (state.max_steps // 2, state.max_steps):
                torch.cuda.synchronize()
            self.marks.append(time.perf_counter())

    return StepClock()


def trainer(shape: str, task: str, examples: int) -> Callable[[Probe], dict[str, Any]]:
    """A part: `Trainer` at its best on the same texts."""

    def part(probe: Probe) -> dict[str, Any]:
        from transformers import (
            AutoModelForQuestionAnswering,
            AutoModelForTokenClassification,
            Trainer,
            TrainingArguments,
        )

        from benchmarks import scripts

        shop = Workshop(probe, "tiny" if probe.tiny else shape, task)
        shared, tokenizer = shop.material, shop.tokens.tokenizer
        automatic: Any = AutoModelForTokenClassification
        config = shop.config()
        if shared.card.task_type == "extractive_qa":
            automatic = AutoModelForQuestionAnswering
        else:
            config.num_labels = len(shared.card.labels or ())
        with torch.device(probe.device):
            model = automatic.from_config(config)
        rows = scripts.features(shared, tokenizer, shop.examples(examples), pad=False)
        arguments = TrainingArguments(
            output_dir=str(shop.work), num_train_epochs=1, per_device_train_batch_size=32,
            learning_rate=2e-5, report_to="none", save_strategy="no", logging_strategy="no",
            disable_tqdm=True, optim="adamw_torch_fused", bf16=True, use_cpu=not probe.card,
            train_sampling_strategy="group_by_length",
        )  # fmt: skip
        collator = scripts._collator(shared, tokenizer, best=True)
        clock = _clock(probe)
        contestant = Trainer(
            model, arguments, data_collator=collator, train_dataset=rows, callbacks=[clock]
        )
        began = time.perf_counter()
        result = contestant.train()
        seconds = time.perf_counter() - began
        half = len(clock.marks) // 2 - 1
        steady = (clock.marks[-1] - clock.marks[half]) / (len(clock.marks) - 1 - half)
        return {
            "tokens_per_second": scripts.tokens(rows) / seconds, "seconds": seconds,
            "tokens_a_step": scripts.tokens(rows) / result.global_step,
            "ms_a_step": 1e3 * seconds / result.global_step, "steady_ms_a_step": 1e3 * steady,
            "loss": result.training_loss,
        }  # fmt: skip

    return part


def parts(tiny: bool) -> Mapping[str, Callable[[Probe], Any]]:
    """All parts, the most telling first."""
    few = 12 if tiny else 1
    return {
        "machine": machine,
        "compilers": compilers,
        "bias gradients": bias_gradients,
        "adamw": adamw,
        "attention": attention,
        "dropout": dropout,
        "same": same,
        "small wikiann": speed("small", "wikiann", 6400 // (few * 8), 600 // few),
        "large wikiann": speed("large", "wikiann", 6400 // (few * 8), 200 // few),
        "large tydiqa": speed("large", "tydiqa", 1600 // few, 50 // min(few, 4)),
        "small tydiqa": speed("small", "tydiqa", 1600 // few, 50 // min(few, 6)),
        "small wikiann, Trainer": trainer("small", "wikiann", 1280 // few),
        "large wikiann, Trainer": trainer("large", "wikiann", 1280 // few),
        "large tydiqa, Trainer": trainer("large", "tydiqa", 640 // few),
        "small wikiann, layers alone": speed(
            "small", "wikiann", 6400 // (few * 8), 100 // few, "joint_linear"),
        "large wikiann, layers alone": speed(
            "large", "wikiann", 6400 // (few * 8), 60 // few, "joint_linear"),
        "large tydiqa, torch's norms": speed(
            "large", "tydiqa", 1600 // few, 50 // min(few, 4), "residual_norm"),
        "large wikiann, torch's AdamW": speed(
            "large", "wikiann", 6400 // (few * 8), 60 // few, "adamw_kernel"),
        "attention speed": attention_speed,
        "memory": memory,
        "large wikiann, exact": padded("large", "wikiann", 640 // few, 12 // min(few, 3)),
    }  # fmt: skip


def main() -> None:
    """Run all parts, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--tiny", action="store_true", help="small shapes, on a CPU too")
    parser.add_argument("--out", type=Path, default=Path("gpu-probe.json"))
    parser.add_argument("--data", type=Path, default=os.environ.get("XHARNESS_DATA_ROOT"))
    parser.add_argument("--tokenizer", type=Path, help="a folder or a tokenizer.json")
    parser.add_argument("--seconds", type=float, default=110, help="no part begins later")
    parser.add_argument("--only", nargs="*", help="parts by name")
    arguments = parser.parse_args()
    if arguments.data is None:
        parser.error("--data is missing, and XHARNESS_DATA_ROOT is not set")
    probe = Probe(
        torch.device(arguments.device), arguments.tiny, arguments.out, Path(arguments.data),
        arguments.tokenizer, arguments.seconds,
    )  # fmt: skip
    if not probe.card:
        from xharness_hf.speed.switches import is_on
        from xharness_hf.training import fixed_step
        from xharness_hf.training.graphs import NoGraphs

        rows = lambda device: NoGraphs() if is_on("fixed_step") else None  # noqa: E731
        setattr(fixed_step, "recorder", rows)  # noqa: B010
    for name, part in parts(arguments.tiny).items():
        if not arguments.only or name in arguments.only:
            probe.run(name, part)


if __name__ == "__main__":
    main()
