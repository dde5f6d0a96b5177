"""What several tests share."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.sockets import sitecustomize

REPOSITORY = Path(__file__).parents[1]

# Property tests try the same cases in every run, so that a run fails for what was changed alone.
# New cases, many more of them, are tried by XHARNESS_HYPOTHESIS=long make test; what fails there
# becomes an example of its own, or a fix. No deadlines: a busy machine is no defect.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("long", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("XHARNESS_HYPOTHESIS", "ci"))


# A shell that starts the suite in its background has Ctrl-C ignored, by the suite and all that it
# starts; tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def no_waiting_for_the_disk() -> Iterator[None]:
    """Every stage waits for the disk some ten times; no test but tests/faults cuts the power."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def refused_connections(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where connections that leave this machine are noted; here and in processes they fail."""
    notes = tmp_path_factory.mktemp("sockets") / "refused"
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, getattr(socket.socket, name), raising=False)
        patch.setattr(socket, "getaddrinfo", socket.getaddrinfo)
        patch.setenv(sitecustomize.NOTES, str(notes))
        patch.setenv("PYTHONPATH", str(Path(sitecustomize.__file__).parent), prepend=os.pathsep)
        sitecustomize.install()
        yield notes


@pytest.fixture(autouse=True)
def no_connections(refused_connections: Path) -> Iterator[None]:
    """Fails a test that tried to leave this machine, even where nothing came of the error."""
    refused_connections.unlink(missing_ok=True)
    yield
    if refused_connections.exists():
        pytest.fail(f"refused: {refused_connections.read_text(encoding='utf-8')}")


_BROWSER_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser without a window that notes its console and what it asks the network for."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*_BROWSER_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(chromedriver))
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of public benchmark data; tests that need it skip where it is absent."""
    root = Path(os.environ.get("XHARNESS_DATA_ROOT", REPOSITORY.parent / "shared" / "data"))
    if not root.is_dir():
        pytest.skip(f"no public benchmark data at {root}; set XHARNESS_DATA_ROOT")
    return root
