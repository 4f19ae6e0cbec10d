"""JupyterLab: a real server, a real kernel, Chromium, and no other host.

The EM player on its own, and a chapter as Binder's launch button opens it.
A reader drags a starting mean; what the page then says is held to what gmmlib gives for that mean.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import numpy as np
import pytest

from gmmlib import Mixture, log_likelihood
from gmmlib.data import shop_customers
from gmmlib.em import em
from tests.test_binder import post_build

ROOT = Path(__file__).parent.parent

CELL = """
from gmmlib import Mixture
from gmmlib.data import shop_customers
from gmmlib.show.player import em_player

start = Mixture([0.5, 0.5], [[156.0], [172.0]], [[[90.0]], [[90.0]]])
em_player(shop_customers().X, start, 12, name="shop", alt="The children's mean goes to 140 cm.",
          labels=["children", "adults"], xlabel="height", units="cm", bound=True)
"""


def log_l_of_means(means: list[float], iteration: int = 0) -> float:
    start = Mixture([0.5, 0.5], np.reshape(means, (2, 1)), [[[90.0]], [[90.0]]])
    state = next(islice(em(shop_customers().X, start), iteration, None))
    return state.log_likelihood


def fresh_home(folder: Path) -> dict[str, str]:
    """An environment in which Jupyter knows nothing of this machine's settings."""
    places = {name: folder / name for name in ("config", "data", "runtime", "ipython", "home")}
    for place in places.values():
        place.mkdir()
    # The announcements would ask another host for news.
    (places["config"] / "labconfig").mkdir()
    (places["config"] / "labconfig" / "page_config.json").write_text(
        json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}})
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON"))}
    return environment | {
        "HOME": str(places["home"]),
        "IPYTHONDIR": str(places["ipython"]),
        "JUPYTER_CONFIG_DIR": str(places["config"]),
        "JUPYTER_PREFER_ENV_PATH": "0",  # the home before what lies beside Python
        "JUPYTER_DATA_DIR": str(places["data"]),
        "JUPYTER_RUNTIME_DIR": str(places["runtime"]),
        "PYTHONPATH": str(ROOT),
    }


@contextmanager
def jupyterlab(root: Path, environment: dict[str, str]) -> Iterator[Callable[[str], str]]:
    """JupyterLab on a folder; what is given tells the address that opens a file of it."""
    pytest.importorskip("jupyterlab")
    runtime = Path(environment["JUPYTER_RUNTIME_DIR"])
    token = secrets.token_hex(16)
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": 0,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "ServerApp.root_dir": root,
        "IdentityProvider.token": token,
        "LabApp.extension_manager": "readonly",
        # A long notebook is only partly in the page; the tests read it as JupyterLab holds it.
        "LabApp.expose_app_in_browser": True,
    }
    log = (runtime / "log").open("w+")
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *(f"--{k}={v}" for k, v in options.items())],
        cwd=root,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        deadline = time.monotonic() + 40
        while not (found := list(runtime.glob("jpserver-*.json"))):
            log.flush()
            assert server.poll() is None, f"JupyterLab ended:\n{(runtime / 'log').read_text()}"
            assert time.monotonic() < deadline, f"no start:\n{(runtime / 'log').read_text()}"
            time.sleep(0.1)
        url = json.loads(found[0].read_text())["url"]
        yield lambda file: f"{url}lab/tree/{file}?token={token}"
    finally:
        server.terminate()  # ends the kernels too
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        log.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[str]:
    """Address of one notebook in a JupyterLab without any settings."""
    folder = tmp_path_factory.mktemp("lab")
    notebooks = folder / "notebooks"
    notebooks.mkdir()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL.strip())])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, notebooks / "player.ipynb")
    with jupyterlab(notebooks, fresh_home(folder)) as address:
        yield address("player.ipynb")


def guarded_page(browser):
    """An empty page that reaches this machine only, and notes what else it asked for."""
    page = browser.new_page(viewport={"width": 1280, "height": 1400}, reduced_motion="reduce")
    page.elsewhere = []

    def guard(route) -> None:
        host = urlsplit(route.request.url).hostname
        if host == "127.0.0.1":
            route.continue_()
        else:
            page.elsewhere.append(route.request.url)
            route.abort()

    page.route(re.compile("^https?://"), guard)
    return page


@pytest.fixture(scope="module")
def page(lab, browser):
    """The notebook in Chromium, its cell run and the player drawn."""
    page = guarded_page(browser)
    page.goto(lab, wait_until="domcontentloaded")
    cell = page.locator(".jp-Notebook .jp-CodeCell").first
    cell.locator(".cm-content").wait_for(timeout=60_000)
    # JupyterLab loses a cell without a word when its kernel has only just connected.
    for _ in range(20):
        cell.locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(1500)
        if cell.locator(".jp-InputPrompt").inner_text() != "[ ]:":
            break
    page.locator(".player .player-handle").nth(1).wait_for(timeout=60_000)
    yield page
    page.close()


def shown_log_l(page) -> float:
    text = page.locator(".player-status").inner_text()
    return float(re.search(r"log L (?:=|stays at) (−?[\d.]+)", text)[1].replace("−", "-"))


def means_of_handles(page) -> list[float]:
    handles = page.locator(".player-handle").all()
    return [float(handle.get_attribute("aria-valuenow")) for handle in handles]


def wait_for_answer(page, before: str) -> str:
    """The status line once the kernel has answered."""
    page.wait_for_function(
        """before => {
          const text = document.querySelector(".player-status").textContent;
          return text !== before && !text.includes("computes");
        }""",
        arg=before,
        timeout=20_000,
    )
    return page.locator(".player-status").inner_text()


def return_to_the_original(page) -> None:
    """Press the button and wait; the run may be the same as before, and its status line too."""
    page.get_by_role("button", name="Original run").click()
    # The new run draws its handles first; the answer that ends the waiting is a message of its own.
    page.wait_for_function(
        "!document.querySelector('.player-status').textContent.includes('computes')", timeout=20_000
    )


@pytest.mark.browser
def test_a_reader_drags_a_starting_mean_and_the_kernel_answers(page) -> None:
    status = page.locator(".player-status")
    assert page.locator(".player").count() == 1  # the live view alone, not its static twin too
    assert means_of_handles(page) == [156.0, 172.0]
    assert shown_log_l(page) == pytest.approx(log_l_of_means([156.0, 172.0]), abs=0.006)

    # By pointer
    before = status.inner_text()
    handle = page.locator(".player-handle").first
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y, steps=5)
    page.mouse.up()
    wait_for_answer(page, before)
    first, second = means_of_handles(page)
    assert first < 152, "the handle should have moved with the pointer"
    assert second == 172.0
    assert shown_log_l(page) == pytest.approx(log_l_of_means([first, second]), abs=0.006)
    last = int(page.locator(".player-jump input").get_attribute("max"))
    page.get_by_role("slider", name="Half-step").evaluate(
        "(e, last) => { e.value = last; e.dispatchEvent(new Event('input')); }", last
    )
    assert shown_log_l(page) == pytest.approx(
        log_l_of_means([first, second], (last - 1) // 2), abs=0.006
    )

    # By keyboard, from the start
    page.get_by_role("button", name="Reset", exact=True).click()
    before = status.inner_text()
    page.locator(".player-handle").nth(1).focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    wait_for_answer(page, before)
    assert means_of_handles(page)[1] > 172.5
    assert shown_log_l(page) == pytest.approx(log_l_of_means(means_of_handles(page)), abs=0.006)


@pytest.mark.browser
def test_a_reader_adds_a_point_draws_a_start_and_returns_to_the_original(page) -> None:
    status = page.locator(".player-status")
    return_to_the_original(page)
    assert means_of_handles(page) == [156.0, 172.0]

    before = status.inner_text()
    page.get_by_role("button", name="Add points").click()
    page.get_by_label("height (cm)").fill("195")
    page.get_by_role("button", name="Add", exact=True).click()
    wait_for_answer(page, before)
    start = Mixture([0.5, 0.5], [[156.0], [172.0]], [[[90.0]], [[90.0]]])
    longer = np.append(shop_customers().X, [[195.0]], axis=0)
    assert shown_log_l(page) == pytest.approx(log_likelihood(longer, start), abs=0.006)
    box = page.locator(".player-main").bounding_box()
    before = status.inner_text()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 60)
    wait_for_answer(page, before)
    assert shown_log_l(page) < log_likelihood(longer, start) - 1
    page.get_by_role("button", name="Add points").click()

    before = status.inner_text()
    page.get_by_role("button", name="New start").click()
    wait_for_answer(page, before)
    assert means_of_handles(page) != [156.0, 172.0]

    # What gmmlib refuses is said, and the run stays.
    before, means = status.inner_text(), means_of_handles(page)
    page.get_by_role("button", name="Add points").click()
    page.get_by_label("height (cm)").fill("1e200")
    page.get_by_role("button", name="Add", exact=True).click()
    assert wait_for_answer(page, before).startswith("Nothing is changed:")
    assert means_of_handles(page) == means

    return_to_the_original(page)
    assert means_of_handles(page) == [156.0, 172.0]
    assert shown_log_l(page) == pytest.approx(log_l_of_means([156.0, 172.0]), abs=0.006)


@pytest.mark.browser
def test_jupyterlab_with_the_player_asks_no_other_host(page) -> None:
    assert page.elsewhere == []


#: Every code cell of the open notebook: its source, its number once it has run, its errors.
CELLS = """() => jupyterapp.shell.currentWidget.model.toJSON().cells
  .filter(cell => cell.cell_type === "code")
  .map(cell => ({
    source: [].concat(cell.source).join(""),
    number: cell.execution_count,
    errors: cell.outputs.filter(o => o.output_type === "error" || o.name === "stderr"),
  }))"""


def run_all_cells(page) -> list[dict]:
    """Choose it in the menu and wait for the last cell, or for the first that fails."""
    page.get_by_text(re.compile(r"\| Idle$")).wait_for(timeout=60_000)
    # JupyterLab loses cells without a word when its kernel has only just connected.
    for _ in range(10):
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        page.wait_for_timeout(3000)
        if page.evaluate(f"({CELLS})().some(cell => cell.number)"):
            break
    page.wait_for_function(
        f"(() => {{ const cells = ({CELLS})();"
        " return cells.every(c => c.number) || cells.some(c => c.errors.length); })()",
        timeout=120_000,
    )
    return page.evaluate(CELLS)


@pytest.mark.browser
def test_a_chapter_opens_as_a_notebook_from_the_launch_buttons_path_and_runs(
    browser, tmp_path
) -> None:
    chapter = "03-two-likelihoods.md"  # the shortest to run of those with the player
    environment = fresh_home(tmp_path)
    # `make lab` leaves postBuild's settings beside this Python, where JupyterLab finds them too.
    # The home's come before those and open a text editor; what postBuild writes now comes first.
    viewers = {"defaultViewers": {"markdown": "Editor", "myst": "Editor"}}
    settings = {"@jupyterlab/docmanager-extension:plugin": viewers}
    labconfig = Path(environment["JUPYTER_CONFIG_DIR"]) / "labconfig"
    (labconfig / "default_setting_overrides.json").write_text(json.dumps(settings))
    written = str(tmp_path / "written")
    root = post_build(tmp_path / "repository", {**environment, "JUPYTER_CONFIG_DIR": written})
    environment["JUPYTER_CONFIG_PATH"] = written
    page = guarded_page(browser)
    with jupyterlab(root, environment) as address:
        page.goto(address(f"chapters/{chapter}"), wait_until="domcontentloaded")
        page.locator(".jp-NotebookPanel .jp-Cell, .jp-FileEditor").first.wait_for(timeout=60_000)
        assert page.locator(".jp-FileEditor").count() == 0, "a text editor should not have opened"
        tabs = page.locator("#jp-main-dock-panel .lm-TabBar-tabLabel")
        assert tabs.all_inner_texts() == [chapter]

        cells = run_all_cells(page)
        assert len(cells) == (root / "chapters" / chapter).read_text().count("\n```{code-cell}")
        assert [cell for cell in cells if cell["errors"] or not cell["number"]] == []

        # The widget at its place, and what the kernel answers
        page.evaluate(
            """() => {
              const notebook = jupyterapp.shell.currentWidget.content;
              const of = notebook.widgets.findIndex(
                cell => cell.model.sharedModel.getSource().includes("em_player("));
              return notebook.scrollToItem(of, "start");
            }"""
        )
        handle = page.locator(".player .player-handle").first
        handle.wait_for(timeout=20_000)
        assert means_of_handles(page) == [165.0, 155.0]
        before = page.locator(".player-status").inner_text()
        handle.focus()
        for _ in range(3):
            page.keyboard.press("ArrowLeft")
        wait_for_answer(page, before)
        first, second = means_of_handles(page)
        assert first < 165
        assert second == 155.0
        moved = Mixture([0.5, 0.5], [[first], [second]], [[[60.0]], [[60.0]]])
        expected = log_likelihood(shop_customers().X, moved)
        assert shown_log_l(page) == pytest.approx(expected, abs=0.006)
        assert page.elsewhere == []
    page.close()
