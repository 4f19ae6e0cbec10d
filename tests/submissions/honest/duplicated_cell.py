"""An answer was copied and improved; the first try stayed, and one answer is there in two copies."""
# Earns: 10
# Told: The answer cell `log-normal` was there twice; the last one that you changed counts
# Told: The answer cell `slope` was there twice

# File:
import copy

cells = notebook["cells"]
for name in ("log-normal", "slope"):
    place = next(k for k, cell in enumerate(cells) if cell["id"] == name)
    first = copy.deepcopy(cells[place])
    if name == "log-normal":
        first["source"] = "# Answer: log-normal\ndef log_normal(X, mean, covariance):\n    return 1"
    cells.insert(place, first)
