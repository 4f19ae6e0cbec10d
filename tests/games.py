"""What the tests of the games share: pressing a button, and running their arithmetic in node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from gmmlib.show import live
from tests.pages import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def press(element, name: str) -> None:
    element.get_by_role("button", name=name).click()


def in_node(part: str, program: str, **data):
    """What a program returns for some data, with ``base.js`` and a part of ``browser`` before it.

    The program sees ``casebook`` and ``data``, and ends with a return.
    """
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here, which the book needs: the browser's arithmetic is not tested")
    folder = Path(live.__file__).with_name("browser")
    base, source = (folder.joinpath(f"{name}.js").read_text("utf-8") for name in ("base", part))
    script = (
        # what base.js asks of a page
        "const PALETTE = []; globalThis.addEventListener = () => {};\n"
        f"{base}\n{source}\n"
        "const data = JSON.parse(require('fs').readFileSync(0, 'utf8'));\n"
        f"console.log(JSON.stringify((() => {{ {program} }})()));"
    )
    done = subprocess.run(
        [node, "-e", script], input=json.dumps(data), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
