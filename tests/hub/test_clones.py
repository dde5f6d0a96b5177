"""Which files hold a split, told from a README."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import RepoCard
from yaml import YAMLError

from xharness.errors import UnavailableError
from xharness_hub.clones import Clone


def clone(folder: Path, front: str | None, *files: str) -> Clone:
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    if front is not None:
        (folder / "README.md").write_text(f"---\n{front}\n---\n# Title\n---\n")
    return Clone("org/name", folder)


def names(clone: Clone, config: str | None, split: str) -> list[str]:
    return [clone.relative(path) for path in clone.files(config, split)]


@pytest.mark.parametrize(
    "files",
    [
        "a/*.csv",
        "[a/1.csv, a/2.csv]",
        "[{split: train, path: a/*.csv}, {split: test, path: b.csv}]",
        "[{split: train, path: [a/1.csv, a/2.csv, a/*.csv]}]",
        "{train: [a/1.csv, a/2.csv], test: b.csv}",
    ],
)
def test_the_forms_of_data_files(tmp_path: Path, files: str) -> None:
    front = f"configs:\n- config_name: x\n  data_files: {files}"
    cloned = clone(tmp_path, front, "a/1.csv", "a/2.csv", "b.csv")
    assert names(cloned, "x", "train") == ["a/1.csv", "a/2.csv"]
    assert names(cloned, None, "train") == ["a/1.csv", "a/2.csv"]


def test_the_default_config(tmp_path: Path) -> None:
    front = "configs:\n- {config_name: x, data_files: x.csv}\n- {config_name: y, default: true, "
    cloned = clone(tmp_path, f"{front}data_files: y.csv}}", "x.csv", "y.csv")
    assert names(cloned, None, "train") == ["y.csv"]


def test_a_config_that_yaml_takes_for_something_else(tmp_path: Path) -> None:
    cloned = clone(tmp_path, "configs:\n- {config_name: 'no', data_files: x.csv}", "x.csv")
    assert names(cloned, "no", "train") == ["x.csv"]


def test_missing_names_are_answered_with_the_nearest(tmp_path: Path) -> None:
    front = "configs:\n- config_name: swahili\n  data_files: {test: x.csv}\n- config_name: thai"
    cloned = clone(tmp_path, front, "x.csv")
    with pytest.raises(UnavailableError, match="no config 'swahil'") as caught:
        cloned.files("swahil", "test")
    assert "did you mean 'swahili'?" in str(caught.value)
    with pytest.raises(UnavailableError, match="no config 'default'") as caught:
        cloned.files(None, "test")
    assert "known: swahili, thai" in str(caught.value)
    with pytest.raises(UnavailableError, match="'swahili' has no split 'train'") as caught:
        cloned.files("swahili", "train")
    assert "known: test; a study says it by 'split: test'" in str(caught.value)


def test_an_incomplete_clone_says_how_to_complete_it(tmp_path: Path) -> None:
    cloned = clone(tmp_path, "configs:\n- {config_name: x, data_files: x-*.csv}")
    with pytest.raises(UnavailableError, match=r"lacks the file 'x-\*\.csv'") as caught:
        cloned.files("x", "train")
    assert "hf download --repo-type dataset org/name" in str(caught.value)


@pytest.mark.parametrize("front", [None, "license: mit", "configs:\n- config_name: x"])
def test_what_is_not_declared_is_the_whole_config(tmp_path: Path, front: str | None) -> None:
    cloned = clone(tmp_path, front, "x/1.csv", "x/.hidden", "y/2.csv", ".cache/meta")
    assert names(cloned, "x", "train") == ["x/1.csv"]
    if front != "configs:\n- config_name: x":
        expected = ["x/1.csv", "y/2.csv"] if front is None else ["README.md", "x/1.csv", "y/2.csv"]
        assert names(cloned, None, "train") == expected


def test_scripts_are_never_run(tmp_path: Path) -> None:
    cloned = clone(tmp_path, None, "name.py")
    with pytest.raises(UnavailableError, match="remote code is never run") as caught:
        cloned.files(None, "train")
    assert "refs/convert/parquet" in str(caught.value)


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "a/../../b", "hf://datasets/o/n/x"])
def test_a_readme_cannot_point_outside(tmp_path: Path, path: str) -> None:
    cloned = clone(tmp_path, f"configs:\n- {{config_name: x, data_files: '{path}'}}")
    with pytest.raises(UnavailableError, match="outside itself"):
        cloned.files("x", "train")


@pytest.mark.parametrize(
    "text",
    [
        "---\n{}\n---\n",
        "\n  ---\r{}\r\n---\t\n",
        "---\r\n{}\r\n---",
        "---\n{}\n---\rx: y\n---\n",
        "---\n{}\n--- \nx",
        "# Title\n---\n{}\n---\n",
        "\ufeff---\n{}\n---\n",
    ],
)
def test_what_the_hub_s_library_reads_of_a_readme_is_read_here(tmp_path: Path, text: str) -> None:
    content = text.replace("{}", "configs:\n- config_name: x\n  data_files: ../secret")
    (tmp_path / "README.md").write_bytes(content.encode())
    try:
        configs = RepoCard(content, ignore_metadata_errors=True).data.to_dict().get("configs")
    except (ValueError, YAMLError):
        return
    if configs:
        with pytest.raises(UnavailableError, match="outside itself"):
            Clone("org/name", tmp_path).files("x", "train")


def test_declarations_in_another_file_are_refused(tmp_path: Path) -> None:
    cloned = clone(tmp_path, None, "x.csv")
    (tmp_path / ".huggingface.yaml").write_text("configs: [{config_name: x, data_files: /etc/*}]")
    with pytest.raises(UnavailableError, match="which is not read"):
        cloned.files(None, "train")


def test_broken_front_matter(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"README\.md: broken front matter"):
        clone(tmp_path, "configs: [").files("x", "train")
