"""What a first visit to each page costs, in bytes and in time.

``python -m benchmarks.pages`` serves ``_build/html`` from this machine, compressed as a web server
would, opens every page in a fresh Chromium of a phone's width, and prints a table. ``--write``
puts the table into ``benchmarks/pages.md``.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import os
import platform
import shutil
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

ROOT = Path(__file__).parent.parent
HTML = ROOT / "_build" / "html"

PHONE = {"width": 375, "height": 800}
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

#: The budgets of a first visit. A thousand bytes are a KB here, as on a phone's bill.
MOST_KB, MOST_KB_WITHOUT_PLAYER, MOST_REQUESTS = 800, 500, 30
#: The budgets of a page with 150 equations, on a machine with two cores.
MOST_MATH_MS, MOST_BLOCKING_MS, MOST_SHIFT = 1000, 300, 0.1


@dataclass
class Server:
    """A web server on this machine, with a record of what it sent since ``sent`` was emptied."""

    address: str
    #: Pages that are in no file, as HTML by path.
    made_up: dict[str, str] = field(default_factory=dict)
    #: Path and bytes of the body of each answer; no bytes stands for "not found".
    sent: list[tuple[str, int]] = field(default_factory=list)


@contextmanager
def serve(folder: Path) -> Iterator[Server]:
    """Serve a folder over HTTP; text is compressed, fonts and pictures go as they are."""

    @functools.cache
    def body(path: Path) -> bytes:
        return packed(path.read_bytes(), path)

    def packed(content: bytes, path: Path) -> bytes:
        return gzip.compress(content, 6) if _is_text(path) else content

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # connections stay open, as on a real server

        def do_GET(self) -> None:
            name = unquote(urlsplit(self.path).path)
            file = (folder / name.lstrip("/")).resolve()
            if name in server.made_up:
                content = packed(server.made_up[name].encode(), file)
            elif file.is_relative_to(folder) and file.is_file():
                content = body(file)
            else:
                server.sent.append((name, 0))
                self.send_error(404)
                return
            server.sent.append((name, len(content)))
            self.send_response(200)
            self.send_header("Content-Type", guess_type(file.name)[0] or "application/octet-stream")
            self.send_header("Content-Length", str(len(content)))
            if _is_text(file):
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """The record is enough."""

    folder = folder.resolve()
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Server(f"http://127.0.0.1:{http.server_port}")
    threading.Thread(target=http.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()


def _is_text(path: Path) -> bool:
    return path.suffix in (".html", ".css", ".js", ".json", ".svg", ".txt")


@contextmanager
def chromium() -> Iterator[object]:
    """Chromium of this machine, driven by playwright.

    Raises
    ------
    FileNotFoundError
        If no Chromium is on the PATH.
    """
    program = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if program is None:
        raise FileNotFoundError(
            f"none of {', '.join(CHROMIUMS)} is installed here; get one, for instance with "
            "`apt install chromium`, and run again"
        )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program)
        try:
            yield browser
        finally:
            browser.close()


@dataclass(frozen=True)
class Visit:
    """A first visit to one page.

    Attributes
    ----------
    formulas : how many, displayed and within lines
    players : how many EM players
    requests, kilobytes : of everything that the server sent; 1 KB = 1000 bytes, compressed
    math_ms : from the click until the last formula is laid out in loaded fonts
    blocking_ms : of all tasks longer than 50 ms, the parts beyond 50 ms, before any scrolling
    shift : cumulative layout shift, all shifts added up, scrolling to the end included
    """

    formulas: int
    players: int
    requests: int
    kilobytes: float
    math_ms: float
    blocking_ms: float
    shift: float

    @property
    def kilobytes_allowed(self) -> int:
        return MOST_KB if self.players else MOST_KB_WITHOUT_PLAYER


# Runs before the page's own scripts.
_WATCH = """
globalThis.measured = { blocking: 0, shift: 0 };
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) measured.blocking += Math.max(0, task.duration - 50);
}).observe({ type: "longtask", buffered: true });
new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) if (!shift.hadRecentInput) measured.shift += shift.value;
}).observe({ type: "layout-shift", buffered: true });
addEventListener("DOMContentLoaded", async () => {
  const formulas = document.querySelectorAll("article .katex-html");
  // Asking for its box has the browser lay out the last formula, and fetch the fonts it needs.
  const laidOut = () => formulas.item(formulas.length - 1)?.getBoundingClientRect().height;
  laidOut();
  await document.fonts.ready;
  laidOut();
  measured.math = performance.now();
  measured.formulas = formulas.length;
  measured.players = document.querySelectorAll("[data-casebook=player]").length;
});
"""


# What the page's own script does when it has time, now: then every font has been asked for.
_LAY_OUT_ALL = """() => {
  for (const formula of document.querySelectorAll(".katex-html")) formula.getBoundingClientRect();
  return document.fonts.ready.then(() => true);
}"""


def wait_until(tab, expression: str, arg=None, seconds: float = 15.0) -> None:
    """Ask a page again and again until what it answers is true.

    Playwright's own ``wait_for_function`` does not get past the pages' Content-Security-Policy,
    which forbids evaluating text.

    Raises
    ------
    TimeoutError
        If it is not true in time; the message holds the last answer.
    """
    deadline = time.monotonic() + seconds
    while not (answer := tab.evaluate(expression, arg)):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{answer!r} after {seconds:g} s: {expression}")
        tab.wait_for_timeout(100)


def visit(browser, server: Server, page: str, scroll: bool = True) -> Visit:
    """Visit a page, such as ``/chapters/index.html``, for the first time, at phone width.

    ``scroll`` waits half a second, then goes through the whole page: what shifts then counts too.

    Raises
    ------
    FileNotFoundError
        If the server misses the page, or anything that the page asks for.
    """
    server.sent.clear()
    context = browser.new_context(viewport=PHONE)
    try:
        tab = context.new_page()
        tab.add_init_script(_WATCH)
        tab.goto(server.address + page, wait_until="load")
        wait_until(tab, "measured.math !== undefined")
        if not scroll:
            tab.evaluate(_LAY_OUT_ALL)
        else:
            tab.wait_for_timeout(500)
            tab.evaluate("measured.loading = measured.blocking")
            tab.mouse.move(PHONE["width"] / 2, PHONE["height"] / 2)
            screens = tab.evaluate("document.documentElement.scrollHeight / innerHeight")
            for _ in range(int(screens) + 2):
                tab.mouse.wheel(0, PHONE["height"])
                tab.wait_for_timeout(30)
            tab.wait_for_timeout(500)
            last = tab.evaluate("document.documentElement.scrollHeight - innerHeight - scrollY")
            if last > PHONE["height"]:
                raise RuntimeError(f"{page} ends {last} px further down than the scrolling went")
        seen = tab.evaluate("measured")
    finally:
        context.close()
    sent = list(server.sent)
    missing = [name for name, size in sent if size == 0]
    if missing:
        raise FileNotFoundError(f"{page} asks for {', '.join(missing)}, which is not there")
    return Visit(
        formulas=seen["formulas"],
        players=seen["players"],
        requests=len(sent),
        kilobytes=sum(size for _, size in sent) / 1000,
        math_ms=seen["math"],
        blocking_ms=seen.get("loading", seen["blocking"]),
        shift=seen["shift"],
    )


def median_visit(visits: Sequence[Visit]) -> Visit:
    """The middle of each figure over several visits to one page."""
    names = Visit.__dataclass_fields__
    middle = {name: statistics.median(getattr(v, name) for v in visits) for name in names}
    return Visit(**middle)


def page_of_equations(folder: Path, count: int = 150) -> str:
    """HTML of a page of the book that holds ``count`` displayed equations and little else."""
    chapters = sorted((folder / "chapters").glob("[0-9]*.html"))
    pages = [BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in chapters]
    equations = [block for page in pages for block in page.select("article div.math")][:count]
    if len(equations) < count:
        raise ValueError(f"the chapters hold {len(equations)} displayed equations, not {count}")
    frame = BeautifulSoup(chapters[0].read_text(encoding="utf-8"), "html.parser")
    article = frame.select_one("article.bd-article")
    article.clear()
    for number, block in enumerate(equations, 1):
        text = frame.new_tag("p")
        text.string = f"Equation {number} of {count}."
        article.extend([text, block])
    return str(frame)


def table(figures: dict[str, Visit]) -> str:
    """A Markdown table, one row a page; bold is over budget."""

    def cell(value: float, most: float, form: str = ".0f") -> str:
        text = format(value, form)
        return text if value <= most else f"**{text}**"

    rows = [
        "| page | formulas | players | requests | KB | math there, ms | blocking, ms | shift |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, seen in figures.items():
        cells = [
            name,
            str(seen.formulas),
            str(seen.players),
            cell(seen.requests, MOST_REQUESTS),
            cell(seen.kilobytes, seen.kilobytes_allowed),
            cell(seen.math_ms, MOST_MATH_MS) if seen.formulas else "",
            cell(seen.blocking_ms, MOST_BLOCKING_MS),
            cell(seen.shift, MOST_SHIFT, ".3f"),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--html", type=Path, default=HTML, help="folder of the built book")
    parser.add_argument("--visits", type=int, default=5, help="visits a page; the middle counts")
    parser.add_argument("--write", action="store_true", help="put the table into pages.md")
    options = parser.parse_args()
    names = sorted(path.stem for path in (options.html / "chapters").glob("*.html"))
    figures = {}
    with serve(options.html) as server, chromium() as browser:
        server.made_up["/chapters/150-equations.html"] = page_of_equations(options.html)
        visit(browser, server, f"/chapters/{names[0]}.html")  # Chromium's own start is no figure
        for name in [*names, "150-equations"]:
            path = f"/chapters/{name}.html"
            visits = [visit(browser, server, path) for _ in range(options.visits)]
            figures[name] = median_visit(visits)
        version = browser.version
    where = f"Chromium {version}, {os.cpu_count()} cores, {platform.system()}"
    print(f"{where}; middle of {options.visits} visits\n\n{table(figures)}")
    if options.write:
        record = Path(__file__).with_suffix(".md")
        text = record.read_text(encoding="utf-8")
        start = "<!-- measured -->\n"
        head = text[: text.index(start) + len(start)]
        new = f"{head}\n{where}; middle of {options.visits} visits to each page.\n\n"
        record.write_text(f"{new}{table(figures)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
