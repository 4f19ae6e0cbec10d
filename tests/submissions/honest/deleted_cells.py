"""An answer, a check and a given cell were deleted: the answer is lost, the others come back."""
# Earns: 8
# Told: The answer cell `conditional` is missing; it counts as blank.
# Told: Given cells were missing and are back: `moments-check`, `given-3`.

# File:
notebook["cells"] = [
    cell for cell in notebook["cells"]
    if cell["id"] not in ("conditional", "moments-check", "given-3")
]
