"""A short formula with a value that has more digits than any computer has room for."""

# Answer: slope
slope = Sum(n ** (n ** n), (n, 999, 999))
