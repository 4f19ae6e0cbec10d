"""Has the grader compute: a mixture of many components for many rows, asked outside the sandbox."""
# Told: numbers

# Answer: catch-the-bug
def is_lawful(log_density):
    many = 6000
    log_density(
        np.zeros((many, 1)), np.full(many, 1 / many), np.zeros((many, 1)), np.ones((many, 1, 1))
    )
    return True
