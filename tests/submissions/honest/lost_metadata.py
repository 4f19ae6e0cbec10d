"""A tool kept the cells' texts and nothing else, and one marker is gone, too."""
# Earns: 10
# Told: The answer cell `moments` had lost its marks; it was known by its contents.

# File:
notebook = {
    "nbformat": 4, "nbformat_minor": 2, "metadata": {},
    "cells": [
        {"cell_type": cell["cell_type"], "metadata": {},
         "source": cell["source"].replace("# Answer: moments\n", "")}
        | ({"outputs": [], "execution_count": None} if cell["cell_type"] == "code" else {})
        for cell in notebook["cells"]
    ],
}
