"""Beside mkdocs.yml: pages made of the code, and pages for files outside docs."""

from __future__ import annotations

import json
import logging
import posixpath
import re
from pathlib import Path
from typing import Any

import reference
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

_log = logging.getLogger("mkdocs.hooks")  # under `strict`, its warnings stop the build
_ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"(\]\()((?:\.\./)+[^)#\s]+)((?:#[^)\s]*)?\))")
_NOTEBOOK_LINK = re.compile(r"(notebooks/[\w-]+)\.ipynb\)")
_LANGUAGES = {".py": "python", ".yaml": "yaml", ".json": "json", ".toml": "toml", ".md": "markdown"}


def on_config(config: Any) -> Any:
    """List the pages of the tasks: nobody writes a line here for a new card."""
    pages = sorted(path.name for path in (_ROOT / "docs" / "tasks").glob("*.md"))
    for section in config.nav:
        for entry in section.get("Reference", []) if isinstance(section, dict) else []:
            if "Tasks" in entry:
                entry["Tasks"] = [f"tasks/{name}" for name in sorted(pages, key=_index_first)]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the reference, and a page for each file of the repository that a document links to."""
    for path, text in {**reference.pages(), **_notebooks()}.items():
        files.append(File.generated(config, path, content=text))
    links = {
        (file.src_uri, target)
        for file in list(files)
        if file.src_uri.endswith(".md") and file.abs_src_path
        for target in _outside_links(file.src_uri, file.content_string)
    }
    for source, target in sorted(links):
        if not (_ROOT / target).exists():
            _log.warning("'%s' links to '%s', which is not in the repository", source, target)
    for target in sorted({target for _, target in links if (_ROOT / target).exists()}):
        page = File.generated(config, _page_of(target), content=_source_page(target))
        page.inclusion = InclusionLevel.NOT_IN_NAV  # it is reached from where it is linked
        files.append(page)
    return files


def _notebooks() -> dict[str, str]:
    """Path in docs to Markdown: what a notebook says, runs and shows."""
    paths = sorted((_ROOT / "docs" / "notebooks").glob("*.ipynb"))
    return {f"notebooks/{path.stem}.md": _notebook(path) for path in paths}


def _notebook(path: Path) -> str:
    parts = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        for output in cell.get("outputs", ()):
            shown = output.get("data", {})
            for format_name in ("text/html", "image/svg+xml"):
                lines = "".join(shown.get(format_name, ())).splitlines()
                # An empty line would end the block of HTML, and a heading of XML is none of it.
                kept = [
                    line for line in lines if line.strip() and not line.startswith(("<?", "<!"))
                ]
                parts.append("<div>" + "\n".join(kept) + "</div>" if kept else "")
            text = "".join(output.get("text", shown.get("text/plain", ())))
            parts.append(f"```text\n{text}\n```" if text else "")
    return "\n\n".join(filter(None, parts)) + "\n"


def on_page_markdown(markdown: str, page: Page, config: Any, files: Files) -> str:
    """Let links that leave `docs/` lead to the pages that show those files."""
    folder = posixpath.dirname(page.file.src_uri)

    def inside(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join("docs", folder, match[2]))
        if target == "docs" or target.startswith("docs/"):
            return match[0]
        return match[1] + posixpath.relpath(_page_of(target), folder or ".") + ")"

    return _NOTEBOOK_LINK.sub(r"\1.md)", _LINK.sub(inside, markdown))


def _index_first(name: str) -> tuple[bool, str]:
    return name != "README.md", name


def _outside_links(source: str, text: str) -> set[str]:
    """Paths in the repository, outside docs, that a document links to."""
    folder = posixpath.join("docs", posixpath.dirname(source))
    targets = {
        posixpath.normpath(posixpath.join(folder, link)) for _, link, _ in _LINK.findall(text)
    }
    return {target for target in targets if not f"{target}/".startswith("docs/")}


def _page_of(target: str) -> str:
    return f"source/{target}.md"


def _source_page(target: str) -> str:
    """A file as it is, or what lies in a folder."""
    path = _ROOT / target
    if path.is_dir():
        names = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith("."))
        listing = "\n".join(f"- `{name}`" for name in names)
        return f"# {target}\n\n{listing}\n"
    text = path.read_text(encoding="utf-8")
    # Longer than any fence in the text, which may be Markdown itself.
    fence = "~" * 8
    return f"# {target}\n\n{fence}{_LANGUAGES.get(path.suffix, 'text')}\n{text}\n{fence}\n"
