"""The page in a browser: it sorts, filters and toggles, by mouse and by keyboard, for everyone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.leaderboard import synthetic
from tests.leaderboard.test_html import ODD

from xharness.leaderboard import html, read

pytest.importorskip("selenium", reason="selenium is not installed")
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """A board with a model that is called like an attack."""
    folder = synthetic.build(tmp_path_factory.mktemp("board"))
    scores = folder / "scores.jsonl"
    text = scores.read_text(encoding="utf-8").replace(synthetic.ODD, ODD)
    scores.write_text(text, encoding="utf-8")
    path = folder / "leaderboard.html"
    path.write_text(html.page(read(folder, synthetic.METRICS)), encoding="utf-8")
    return path


@pytest.fixture
def page(browser, file):
    """The page, fresh; afterwards the console must be empty and nothing else asked for."""
    size(browser, 1280, 900)
    browser.get_log("performance")
    browser.get(file.as_uri())
    yield browser
    assert browser.get_log("browser") == []
    messages = [
        json.loads(message["message"])["message"] for message in browser.get_log("performance")
    ]
    asked = {message["params"]["request"]["url"] for message in messages
             if message["method"] == "Network.requestWillBeSent"}  # fmt: skip
    assert asked <= {file.as_uri(), "data:,"}


def size(browser, width, height):
    values = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", values)


def column(browser, number):
    return browser.execute_script(
        "return [...document.querySelectorAll('#table tbody tr')]"
        ".map((row) => row.children[arguments[0]].firstChild.textContent)", number,
    )  # fmt: skip


def heads(browser):
    return [
        button.get_dom_attribute("data-column")
        for button in browser.find_elements(By.CSS_SELECTOR, ".sort")
    ]


def press(browser, name):
    browser.find_element(By.CSS_SELECTOR, f".sort[data-column='{name}']").click()


def test_it_sorts_by_a_header_both_ways_and_says_so(page):
    names = [
        cell.text.split("\n")[0] for cell in page.find_elements(By.CSS_SELECTOR, "#table thead th")
    ]
    gap = names.index("gap")
    press(page, "gap")
    down = [cell for cell in column(page, gap) if cell != "undefined"]
    assert len(down) == 5 and down == sorted(down, key=float, reverse=True)
    assert column(page, gap)[-2:] == ["undefined"] * 2
    header = page.find_elements(By.CSS_SELECTOR, "#table thead th")[gap]
    assert header.get_dom_attribute("aria-sort") == "descending"
    page.switch_to.active_element.send_keys(Keys.ENTER)
    up = [cell for cell in column(page, gap) if cell != "undefined"]
    assert up == down[::-1] and column(page, gap)[-2:] == ["undefined"] * 2


def test_it_filters_by_model_strategy_task_family_and_provenance(page):
    assert len(column(page, 0)) == 7
    page.find_element(By.ID, "filter-model").send_keys("MINI-L")
    assert column(page, 0) == ["mini-l"] * 2
    Select(page.find_element(By.ID, "filter-strategy")).select_by_visible_text("multitask")
    assert len(column(page, 0)) == 1
    Select(page.find_element(By.ID, "filter-task")).select_by_visible_text("every")
    assert column(page, 2) == ["nli", "ner", "copa", "qa"]
    page.find_element(By.ID, "filter-model").clear()
    Select(page.find_element(By.ID, "filter-strategy")).select_by_visible_text("every")
    Select(page.find_element(By.ID, "filter-task")).select_by_visible_text("average")
    Select(page.find_element(By.ID, "filter-family")).select_by_visible_text("midi")
    assert column(page, 0) == ["mini-l"] * 2
    Select(page.find_element(By.ID, "filter-family")).select_by_visible_text("every")
    Select(page.find_element(By.ID, "filter-pool")).select_by_visible_text("published, fine-tuned")
    assert column(page, 0) == [ODD]
    assert page.find_element(By.ID, "count").text.startswith("1 row of ")


def marks(browser, chart):
    return {
        (mark.get_dom_attribute("data-model"), mark.get_dom_attribute("data-strategy"))
        for mark in browser.find_elements(By.CSS_SELECTOR, f"#{chart} .mark")
    }


def test_the_answer_its_table_and_the_badges_are_on_the_first_screen(page):
    size(page, 1400, 900)
    for selector in (".headline", ".badges", ".first table"):
        box = page.find_element(By.CSS_SELECTOR, selector).rect
        assert box["y"] + box["height"] < 900, selector


def test_the_chart_opens_on_the_headline_and_shows_single_tasks(page):
    choice = Select(page.find_element(By.ID, "filter-change"))
    assert choice.first_selected_option.text == "average over tasks"
    assert marks(page, "changes") == {("mini-s", "multitask"), ("mini-l", "multitask")}
    choice.select_by_visible_text("nli")
    assert "carries no word" in page.find_element(By.ID, "change-note").text
    labels = [mark.get_dom_attribute("aria-label")
              for mark in page.find_elements(By.CSS_SELECTOR, "#changes .mark")]  # fmt: skip
    assert len(labels) == 2 and all("Δ gap" in mark and "Δ others" in mark for mark in labels)


def test_the_size_chart_keeps_the_baseline_and_counts_all_parameters(page):
    assert marks(page, "sizes") == {
        (model, strategy) for model in ("mini-s", "mini-l") for strategy in ("single", "multitask")
    }
    change, total = (
        page.find_element(By.XPATH, f"//section[@id='sizes']//button[starts-with(., '{text}')]")
        for text in ("Δ gap", "all parameters")
    )
    change.click()
    assert {strategy for _, strategy in marks(page, "sizes")} == {"multitask"}
    total.click()
    label = page.find_element(By.CSS_SELECTOR, "#size-chart svg").get_dom_attribute("aria-label")
    assert label == "Δ gap, points over parameters; 2 points"


def test_reasons_and_intervals_come_by_mouse_and_by_keyboard(page):
    cell = page.find_element(By.XPATH, "//*[@id='table']//td[.='undefined']")
    webdriver.ActionChains(page).move_to_element(cell).perform()
    tip = page.find_element(By.ID, "tip")
    assert tip.is_displayed() and tip.text == "failed: no weights in the folder"
    webdriver.ActionChains(page).send_keys(Keys.ESCAPE).perform()
    assert not tip.is_displayed()
    first = page.find_element(By.CSS_SELECTOR, "#table [tabindex='0']")
    page.execute_script("arguments[0].focus()", first)
    for key in (Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_DOWN):
        page.switch_to.active_element.send_keys(key)
    now = page.switch_to.active_element
    assert now.tag_name == "td" and tip.is_displayed()
    assert now.get_dom_attribute("aria-describedby") == "tip" and "95% interval over" in tip.text
    assert (
        len(page.find_elements(By.CSS_SELECTOR, "#table td[tabindex='0'], #table th[tabindex='0']"))
        == 1
    )


def test_every_control_is_reached_with_the_tab_key_and_shows_its_focus(page):
    reached = set()
    for _ in range(60):
        page.switch_to.active_element.send_keys(Keys.TAB)
        element = page.switch_to.active_element
        if element.tag_name == "body":
            break
        facts = page.execute_script(
            "const e = arguments[0], s = getComputedStyle(e), h = e.querySelector('.halo');"
            "const own = e.dataset; return ["
            "e.id || own.column || own.name || own.model || e.textContent,"
            " s.outlineStyle !== 'none' || (h && getComputedStyle(h).opacity > 0.2)]", element,
        )  # fmt: skip
        reached.add(facts[0])
        assert facts[1], f"no visible focus on {facts[0]}"
    fields = {f"filter-{field}" for field in ("model", "strategy", "task", "family", "map-task")}
    controls = {"theme", "mini-l", "table", "map", "filter-map-show", "filter-change"}
    assert controls | fields | set(heads(page)) <= reached


def test_the_map_shows_scores_losses_and_reasons(page):
    cells = "return [...document.querySelectorAll('#map tbody td')].map((one) => one.textContent)"
    assert "—" in page.execute_script(cells)
    Select(page.find_element(By.ID, "filter-map-show")).select_by_visible_text(
        "points lost against English"
    )
    assert "20.0" in page.execute_script(cells)
    Select(page.find_element(By.ID, "filter-map-task")).select_by_visible_text("copa")
    assert "no English test set" in page.find_element(By.ID, "map-note").text


def test_names_stay_text(page):
    assert page.execute_script("return document.images.length") == 0
    assert page.execute_script("return document.scripts.length") == 2
    assert {ODD, "mini-s"} <= set(column(page, 0))


_CONTRAST = """
const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
  .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const ground = (e) => {
  for (; e; e = e.parentElement) {
    const found = rgb(getComputedStyle(e).backgroundColor);
    if (found.length < 4 || found[3] === 1) return found;
  }
  return [255, 255, 255];
};
const poor = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const e = walker.currentNode.parentElement;
  if (!walker.currentNode.textContent.trim() || !e.checkVisibility()) continue;
  if (["SCRIPT", "NOSCRIPT"].includes(e.tagName)) continue;
  const style = getComputedStyle(e), svg = e.namespaceURI.includes("svg");
  const [a, b] = [light(rgb(svg ? style.fill : style.color)), light(ground(e))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const large = parseFloat(style.fontSize) >= 24;
  if (ratio < (large ? 3 : 4.5)) poor.push([walker.currentNode.textContent, ratio]);
}
return poor;
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_has_the_contrast_of_wcag_aa(page, theme):
    if (
        page.execute_script("return getComputedStyle(document.documentElement).colorScheme")
        != theme
    ):
        page.find_element(By.ID, "theme").click()
    assert (
        page.execute_script("return getComputedStyle(document.documentElement).colorScheme")
        == theme
    )
    page.execute_script(
        "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
    )
    assert page.execute_script(_CONTRAST) == []


def test_the_reader_s_system_chooses_the_theme(page):
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    ground = "return getComputedStyle(document.body).backgroundColor"
    light_ground = page.execute_script(ground)
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    assert page.execute_script(ground) != light_ground
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_a_phone_does_not_scroll_sideways(page):
    size(page, 360, 740)
    page.refresh()
    page.execute_script(
        "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
    )
    fits = "const e = document.documentElement; return e.scrollWidth <= e.clientWidth"
    assert page.execute_script(fits)
    page.execute_script("arguments[0].focus()", page.find_element(By.CSS_SELECTOR, ".mark"))
    assert page.find_element(By.ID, "tip").is_displayed() and page.execute_script(fits)
