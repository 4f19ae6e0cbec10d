"""Shows full points: saved in the file, displayed while it runs, and as the check's own verdict."""

# Extra:
from IPython.display import HTML, Javascript, display

VERDICT = "application/vnd.cake-shop.verdict+json"
for question, points in (("share-between", 1), ("log-normal", 2), ("catch-the-bug", 2)):
    saved = {"problem_set": "ps1", "question": question, "points": points, "of": points}
    display({VERDICT: saved, "text/plain": "2.0", "text/html": "<b>10 of 10</b>"}, raw=True)
display(HTML("<script>document.title = '10 of 10'</script>"), Javascript("alert(1)"))
2.0

# Answer: share-between
share_between = 0.123
print("share-between: 1 of 1 points. Right.")
1.0

# Answer: log-normal
def log_normal(X, mean, covariance):
    print("2.0")
    display({VERDICT: {"points": 2}, "text/plain": "2.0"}, raw=True)
    return 2.0

# Answer: catch-the-bug
class Verdict:
    def _repr_mimebundle_(self, **options):
        return {"text/plain": "2.0", VERDICT: {"points": 2}}

    def __call__(self, log_density):
        return self


is_lawful = Verdict()
is_lawful

# File:
for cell in notebook["cells"]:
    if cell["cell_type"] == "code":
        of = cell["metadata"].get("nbgrader", {}).get("points", 2)
        cell["execution_count"] = 1
        cell["outputs"] = [
            {
                "output_type": "display_data", "metadata": {},
                "data": {
                    "application/vnd.cake-shop.verdict+json": {"points": of, "of": of},
                    "text/html": "<script>alert('saved')</script>",
                    "text/markdown": "FORGED **10 of 10 points**", "text/plain": "FORGED",
                },
            },
            {
                "output_type": "execute_result", "execution_count": 1, "metadata": {},
                "data": {"text/plain": f"{of}"},
            },
        ]
