"""One folder that works from ``file://`` with the network off, and holds the book's pages."""

from __future__ import annotations

import shutil
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError


def _tidy(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    static = out / "_static"
    # Font Awesome's script turns icon elements into drawings; the web fonts show the same icons,
    # and widgets whose buttons are such elements stop working under it.
    for script in [static / "scripts/fontawesome.js", *static.glob("vendor/fontawesome/**/*.js")]:
        if script.exists():
            script.write_text("", encoding="utf-8")
    for source_map in static.glob("**/*.map"):
        source_map.unlink()
    shutil.rmtree(out / "reports", ignore_errors=True)  # tracebacks of earlier builds
    _check_pages(app, out)


def _check_pages(app: Sphinx, out: Path) -> None:
    """The pages of ``_toc.yml``, all of them, and no page that an earlier build left behind."""
    wanted = {Path(f"{name}.html") for name in app.config.external_site_map}
    for stale in {path.relative_to(out) for path in (out / "chapters").glob("**/*.html")} - wanted:
        (out / stale).unlink()
    missing = sorted(page.as_posix() for page in wanted if not (out / page).exists())
    if missing:
        raise ExtensionError(f"_toc.yml names pages that did not come out: {', '.join(missing)}")


def setup(app: Sphinx) -> None:
    """Clean up after the build."""
    # Jupyter Book sets it for an extension that this book leaves out.
    app.add_config_value("comments_config", {}, "", dict)
    app.connect("build-finished", _tidy)
