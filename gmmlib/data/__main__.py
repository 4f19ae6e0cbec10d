"""Print the README of this folder: ``python -m gmmlib.data > gmmlib/data/README.md``."""

import sys

from gmmlib.data import readme

sys.stdout.reconfigure(encoding="utf-8")
sys.stdout.write(readme())
