"""Cells were moved: answers first, the rest in reverse, a merge in between."""
# Earns: 10
# Told: The cells were in another order; they run in the order of the problem set.

# File:
notebook["cells"].reverse()
