"""The page in a browser: it sorts, filters and toggles, by mouse and by keyboard, for everyone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.leaderboard import synthetic
from tests.leaderboard.test_html import ODD

from xharness.leaderboard import read
from xharness.leaderboard.html import page

pytest.importorskip("selenium", reason="selenium is not installed")
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(chromedriver))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """A board with a model that is called like an attack."""
    folder = synthetic.build(tmp_path_factory.mktemp("board"))
    scores = folder / "scores.jsonl"
    text = scores.read_text(encoding="utf-8").replace(synthetic.ODD, ODD)
    scores.write_text(text, encoding="utf-8")
    path = folder / "leaderboard.html"
    path.write_text(page(read(folder, synthetic.METRICS)), encoding="utf-8")
    return path


@pytest.fixture
def shown(browser, file):
    """The page, fresh; afterwards the console must be empty and nothing else asked for."""
    size(browser, 1280, 900)
    browser.get_log("performance")
    browser.get(file.as_uri())
    yield browser
    assert browser.get_log("browser") == []
    messages = [json.loads(one["message"])["message"] for one in browser.get_log("performance")]
    asked = {one["params"]["request"]["url"] for one in messages
             if one["method"] == "Network.requestWillBeSent"}  # fmt: skip
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
        one.get_dom_attribute("data-column")
        for one in browser.find_elements(By.CSS_SELECTOR, ".sort")
    ]


def press(browser, name):
    browser.find_element(By.CSS_SELECTOR, f".sort[data-column='{name}']").click()


def test_it_sorts_by_a_header_both_ways_and_says_so(shown):
    names = [
        one.text.split("\n")[0] for one in shown.find_elements(By.CSS_SELECTOR, "#table thead th")
    ]
    gap = names.index("gap")
    press(shown, "gap")
    down = [one for one in column(shown, gap) if one != "undefined"]
    assert len(down) == 5 and down == sorted(down, key=float, reverse=True)
    assert column(shown, gap)[-2:] == ["undefined"] * 2
    header = shown.find_elements(By.CSS_SELECTOR, "#table thead th")[gap]
    assert header.get_dom_attribute("aria-sort") == "descending"
    shown.switch_to.active_element.send_keys(Keys.ENTER)
    up = [one for one in column(shown, gap) if one != "undefined"]
    assert up == down[::-1] and column(shown, gap)[-2:] == ["undefined"] * 2


def test_it_filters_by_model_strategy_task_family_and_provenance(shown):
    assert len(column(shown, 0)) == 7
    shown.find_element(By.ID, "filter-model").send_keys("MINI-L")
    assert column(shown, 0) == ["mini-l"] * 2
    Select(shown.find_element(By.ID, "filter-strategy")).select_by_visible_text("multitask")
    assert len(column(shown, 0)) == 1
    Select(shown.find_element(By.ID, "filter-task")).select_by_visible_text("every")
    assert column(shown, 2) == ["nli", "ner", "copa", "qa"]
    shown.find_element(By.ID, "filter-model").clear()
    Select(shown.find_element(By.ID, "filter-strategy")).select_by_visible_text("every")
    Select(shown.find_element(By.ID, "filter-task")).select_by_visible_text("average")
    Select(shown.find_element(By.ID, "filter-family")).select_by_visible_text("midi")
    assert column(shown, 0) == ["mini-l"] * 2
    Select(shown.find_element(By.ID, "filter-family")).select_by_visible_text("every")
    Select(shown.find_element(By.ID, "filter-provenance")).select_by_visible_text("published")
    assert column(shown, 0) == [ODD]
    assert shown.find_element(By.ID, "count").text.startswith("1 row of ")


def marks(browser):
    return {
        (one.get_dom_attribute("data-model"), one.get_dom_attribute("data-strategy"))
        for one in browser.find_elements(By.CSS_SELECTOR, ".mark")
    }


def test_families_and_strategies_of_the_chart_can_be_switched_off(shown):
    assert len(marks(shown)) == 4
    toggle = shown.find_element(By.CSS_SELECTOR, "[data-what=family][data-name=midi]")
    toggle.click()
    assert toggle.get_dom_attribute("aria-pressed") == "false"
    assert {model for model, _ in marks(shown)} == {"mini-s"}
    shown.find_element(By.CSS_SELECTOR, "[data-what=strategy][data-name=single]").click()
    assert marks(shown) == {("mini-s", "multitask")}
    toggle.click()
    assert marks(shown) == {("mini-s", "multitask"), ("mini-l", "multitask")}


def test_the_chart_shows_changes_and_counts_all_parameters(shown):
    change, total = (
        shown.find_element(By.XPATH, f"//section[@id='sizes']//button[starts-with(., '{text}')]")
        for text in ("change", "all parameters")
    )
    change.click()
    assert {strategy for _, strategy in marks(shown)} == {"multitask"}
    total.click()
    label = shown.find_element(By.CSS_SELECTOR, "#size-chart svg").get_dom_attribute("aria-label")
    assert label == "change of the gap against single, points over parameters; 2 points"


def test_reasons_and_intervals_come_by_mouse_and_by_keyboard(shown):
    cell = shown.find_element(By.XPATH, "//*[@id='table']//td[.='undefined']")
    webdriver.ActionChains(shown).move_to_element(cell).perform()
    tip = shown.find_element(By.ID, "tip")
    assert tip.is_displayed() and tip.text == "failed: no weights in the folder"
    webdriver.ActionChains(shown).send_keys(Keys.ESCAPE).perform()
    assert not tip.is_displayed()
    first = shown.find_element(By.CSS_SELECTOR, "#table [tabindex='0']")
    shown.execute_script("arguments[0].focus()", first)
    for key in (Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_DOWN):
        shown.switch_to.active_element.send_keys(key)
    now = shown.switch_to.active_element
    assert now.tag_name == "td" and tip.is_displayed()
    assert now.get_dom_attribute("aria-describedby") == "tip" and "95% interval over" in tip.text
    assert (
        len(
            shown.find_elements(By.CSS_SELECTOR, "#table td[tabindex='0'], #table th[tabindex='0']")
        )
        == 1
    )


def test_every_control_is_reached_with_the_tab_key_and_shows_its_focus(shown):
    reached = set()
    for _ in range(60):
        shown.switch_to.active_element.send_keys(Keys.TAB)
        here = shown.switch_to.active_element
        if here.tag_name == "body":
            break
        seen = shown.execute_script(
            "const e = arguments[0], s = getComputedStyle(e), h = e.querySelector('.halo');"
            "const own = e.dataset; return ["
            "e.id || own.column || own.name || own.model || e.textContent,"
            " s.outlineStyle !== 'none' || (h && getComputedStyle(h).opacity > 0.2)]", here,
        )  # fmt: skip
        reached.add(seen[0])
        assert seen[1], f"no visible focus on {seen[0]}"
    fields = {f"filter-{one}" for one in ("model", "strategy", "task", "family", "map-task")}
    wanted = {"theme", "midi", "single", "mini-l", "table", "map", "filter-map-show"}
    assert wanted | fields | set(heads(shown)) <= reached


def test_the_map_shows_scores_losses_and_reasons(shown):
    cells = "return [...document.querySelectorAll('#map tbody td')].map((one) => one.textContent)"
    assert "—" in shown.execute_script(cells)
    Select(shown.find_element(By.ID, "filter-map-show")).select_by_visible_text(
        "points lost against English"
    )
    assert "20.0" in shown.execute_script(cells)
    Select(shown.find_element(By.ID, "filter-map-task")).select_by_visible_text("copa")
    assert "no English test set" in shown.find_element(By.ID, "map-note").text


def test_names_stay_text(shown):
    assert shown.execute_script("return document.images.length") == 0
    assert shown.execute_script("return document.scripts.length") == 2
    assert {ODD, "mini-s"} <= set(column(shown, 0))


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
def test_all_text_has_the_contrast_of_wcag_aa(shown, theme):
    if (
        shown.execute_script("return getComputedStyle(document.documentElement).colorScheme")
        != theme
    ):
        shown.find_element(By.ID, "theme").click()
    assert (
        shown.execute_script("return getComputedStyle(document.documentElement).colorScheme")
        == theme
    )
    shown.execute_script(
        "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
    )
    assert shown.execute_script(_CONTRAST) == []


def test_the_reader_s_system_chooses_the_theme(shown):
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    ground = "return getComputedStyle(document.body).backgroundColor"
    before = shown.execute_script(ground)
    shown.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    assert shown.execute_script(ground) != before
    shown.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_a_phone_does_not_scroll_sideways(shown):
    size(shown, 360, 740)
    shown.refresh()
    shown.execute_script(
        "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
    )
    fits = "const e = document.documentElement; return e.scrollWidth <= e.clientWidth"
    assert shown.execute_script(fits)
    shown.execute_script("arguments[0].focus()", shown.find_element(By.CSS_SELECTOR, ".mark"))
    assert shown.find_element(By.ID, "tip").is_displayed() and shown.execute_script(fits)
