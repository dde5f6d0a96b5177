"""From a number to its items, on the command line and from a served board."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.cli.project import Project, fresh, invoke
from tests.hf import tiny
from xharness.session.board_server import HOST, open_server
from xharness.session.item_pages import open_item_pages
from xharness.session.options import RunOptions

OPTIONS = ("--cards", "cards", "--store", "store")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = fresh(tmp_path_factory.mktemp("items"))
    assert project.run().exit_code == 0
    return project


def key(project: Project, model: str) -> str:
    (receipt,) = [
        receipt
        for label, receipt in project.receipts().items()
        if label.startswith(f"{model} · score")
    ]
    return str(receipt["key"])


def test_wrong_items_of_one_language(finished: Project) -> None:
    words = ("--items", "100", "--language", "sw", "--wrong", "--json")
    result = invoke(finished.folder, "show", key(finished, "most"), *words, *OPTIONS)
    rows = json.loads(result.stdout)
    scores = [json.loads(line) for line in finished.scores.splitlines()]
    (score,) = [row for row in scores if row["model"] == "most" and row.get("language") == "sw"]
    assert len(rows) == round(20 * (1 - score["value"] / 100)) > 0
    for row in rows:
        assert row["language"] == "sw" and not row["right"]
        assert {row["gold"], row["answer"]} == {"good", "bad"}
    data = (finished.folder / "data" / "mood.sw.test.jsonl").read_text(encoding="utf-8")
    assert {row["text"] for row in rows} <= {json.loads(line)["text"] for line in data.splitlines()}


def test_two_arms_side_by_side(finished: Project) -> None:
    majority, grams = key(finished, "most"), key(finished, "grams")
    words = ("show", majority[:12], "--items", "2", "-l", "de,sw", "--against", grams[:12])
    result = invoke(finished.folder, *words, *OPTIONS)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("\nitem ") + result.stdout.startswith("item ") == 4
    assert len(re.findall(r"against .*\((right|wrong)\)", result.stdout)) == 4


def test_a_model_that_writes_shows_its_prompt(tmp_path: Path) -> None:
    project = fresh(tmp_path)
    tiny.gemma(tmp_path / "gemma")
    words = {"bad": "bad", "good": "good"}
    project.cards["mood"]["verbalizer"] = {"prompt": "{text} Mood:", "answers": words}
    project.study |= {
        "models": [{"name": "gemma", "path": "gemma", "mode": "loglikelihood"}],
        "strategies": ["prompt"],
        "targets": [{"task": "mood", "limit": 3}],
    }
    assert project.write().run().exit_code == 0
    words_typed = ("show", key(project, "gemma"), "--items", "1", "-l", "sw", "--json")
    (row,) = json.loads(invoke(tmp_path, *words_typed, *OPTIONS).stdout)
    assert row["prompted with"] == f"{row['text']} Mood:"
    assert row["answer"] in words


def test_a_run_says_how_to_see_its_items(finished: Project) -> None:
    result = invoke(finished.folder, "show", ".")
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("its items:")]
    command = line.removeprefix("its items: xharness ").split()
    assert invoke(finished.folder, *command, *OPTIONS).exit_code == 0


def test_a_run_of_one_stage_needs_no_key(finished: Project, tmp_path: Path) -> None:
    words = ("eval", "--model", "majority", "--tasks", "mood", "--output", str(tmp_path / "alone"))
    assert invoke(finished.folder, *words, *OPTIONS).exit_code == 0
    shown = ("show", str(tmp_path / "alone"), "--wrong", "-l", "sw", *OPTIONS)
    result = invoke(finished.folder, *shown)
    assert result.exit_code == 0 and "wrong items" in result.stdout
    result = invoke(finished.folder, "show", ".", "--wrong", *OPTIONS)
    assert result.exit_code == 2 and "2 stages scored this run" in result.stderr
    assert f"{key(finished, 'grams')[:12]}  grams · single · mood · seed 1" in result.stderr


def test_what_the_run_had_is_asked_for(finished: Project) -> None:
    words = ("show", key(finished, "most"), "--items", "1", "--store", "store")
    result = invoke(finished.folder, *words)
    assert result.exit_code == 2 and "name what the run had with --cards" in result.stderr
    files = [*(finished.folder / "data").glob("*.jsonl")]
    for file in files:
        file.rename(file.with_suffix(".away"))
    result = invoke(finished.folder, *words, "--cards", "cards")
    for file in files:
        file.with_suffix(".away").rename(file)
    assert result.exit_code == 3 and "name what the run had with --data-root" in result.stderr


def test_what_has_no_items_says_so(finished: Project) -> None:
    (train,) = [
        receipt["key"]
        for label, receipt in finished.receipts().items()
        if label.startswith("most · train")
    ]
    result = invoke(finished.folder, "show", train, "--items", "1", *OPTIONS)
    assert result.exit_code == 2 and "answers no items" in result.stderr
    result = invoke(finished.folder, "show", key(finished, "most"), "--items", "1", "-l", "fr")
    assert result.exit_code == 2


def test_a_mistyped_folder_is_guessed(tmp_path: Path) -> None:
    (tmp_path / "runs" / "first").mkdir(parents=True)
    result = invoke(tmp_path, "show", "runs/frist")
    assert result.exit_code == 2 and "did you mean 'runs/first'?" in result.stderr


def test_changed_data_is_told(finished: Project, tmp_path: Path) -> None:
    for path in finished.folder.glob("cards/*.yaml"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "data").mkdir()
    for path in finished.folder.glob("data/*"):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        first_lines = lines[:3] if "test" in path.name else lines
        (tmp_path / "data" / path.name).write_text("".join(first_lines), encoding="utf-8")
    store = str(finished.folder / "store")
    words = ("show", key(finished, "most"), "--items", "1", "--cards", ".", "--store", store)
    result = invoke(tmp_path, *words)
    assert result.exit_code == 1 and "no longer in the data" in result.stderr


@pytest.fixture(scope="module")
def address(finished: Project) -> Iterator[tuple[str, int]]:
    folder = finished.folder
    options = RunOptions.of(cards=[folder / "cards"], store=folder / "store")
    with open_server(folder, 0, open_item_pages(folder, options)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield HOST, server.server_port
        server.shutdown()


def ask(address: tuple[str, int], path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(*address, timeout=10)
    connection.request("GET", path, headers={"Host": f"{HOST}:{address[1]}"})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_a_cell_leads_to_its_items(address: tuple[str, int], finished: Project) -> None:
    cell = {"model": "most", "strategy": "single", "task": "mood", "language": "sw"}
    status, page = ask(address, f"/items?{urlencode(cell | {'wrong': '1'})}")
    assert status == 200
    assert page.count('<article class="wrong">') > 0 == page.count('<article class="right">')
    comparison = urlencode(cell | {"against": "grams\nsingle"})
    status, page = ask(address, f"/items?{comparison}")
    assert page.count("<dt>against</dt>") == 20


def test_the_served_page_leads_there_and_the_committed_one_does_not(
    address: tuple[str, int], finished: Project
) -> None:
    committed = (finished.folder / "leaderboard.html").read_text(encoding="utf-8")
    _, page = ask(address, "/")
    assert "/items?" in page and "/items?" not in committed
    script = page.rpartition("</script></body>")[0].rpartition("<script>")[2]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in page


def test_a_click_leads_from_a_cell_to_its_items(
    address: tuple[str, int], finished: Project, browser: Any
) -> None:
    """From the served board to one language's wrong items, two arms side by side."""
    browser.get(f"http://{HOST}:{address[1]}/")
    (row,) = (row for row in browser.find_elements("css selector", "#map tbody tr")
              if "Swahili" in row.text)  # fmt: skip
    heads = [head.text.splitlines()[0] for head in browser.find_elements("css selector", "#map th")]
    row.find_elements("css selector", "td")[heads.index("grams") - 1].click()
    assert browser.title == "grams · single · mood · sw"
    browser.find_element("link text", "only wrong").click()
    browser.find_element("link text", "beside most · single").click()
    articles = browser.find_elements("css selector", "article")
    words = ("--items", "100", "--language", "sw", "--wrong", "--json")
    result = invoke(finished.folder, "show", key(finished, "grams"), *words, *OPTIONS)
    assert len(articles) == len(json.loads(result.stdout)) > 0
    assert all("wrong" in article.text and "against" in article.text for article in articles)
    browser.find_element("link text", "alone").click()
    assert "against" not in browser.find_element("css selector", "article").text
    assert browser.get_log("browser") == []


def test_the_keyboard_leads_there_too(address: tuple[str, int], browser: Any) -> None:
    browser.get(f"http://{HOST}:{address[1]}/")
    assert "leads to its items" in browser.find_element("id", "languages").text
    first = browser.find_element("css selector", "#map [tabindex='0']")
    browser.execute_script("arguments[0].focus()", first)
    for pressed in ("\ue014", "\ue014", "\ue015", "\ue007"):  # right, right, down, Enter
        browser.switch_to.active_element.send_keys(pressed)
    assert " · single · mood · " in browser.title


@pytest.mark.parametrize("query", ["", "model=most", "model=x&strategy=single&task=mood"])
def test_no_cell_is_not_found(query: str, address: tuple[str, int]) -> None:
    assert ask(address, f"/items?{query}")[0] == 404


def test_texts_are_escaped(finished: Project) -> None:
    from xharness.session.item_pages import _item

    page = _item({"item": "<b>", "right": False, "text": "<script>", "gold": "&", "answer": ""})
    assert "<script>" not in page and "&lt;script&gt;" in page and "<b>" not in page
