"""HTML, JavaScript and signs that command a terminal, wherever a page could show them."""
# Told: < script>

# Text:
# # <script>alert('heading')</script>
# <img src=x onerror="alert(1)"> <svg/onload=alert(1)> [click](javascript:alert(1))
# ![spy](http://elsewhere.example/spy.png) <iframe src="http://elsewhere.example"></iframe>
# [data](data:text/html;base64,PHNjcmlwdD4=) $\href{javascript:alert(1)}{x}$ <style>body{}</style>
# <!-- <script> --> <a href="JaVaScRiPt:alert(1)" onmouseover=alert(1)>a</a>

# Extra:
from IPython.display import HTML, SVG, Javascript, Markdown, display

print("<script>alert('printed')</script> \x1b]0;title\x07 \x1b[2J \x1b[31m<b>red</b>")
display(HTML("<script>alert(1)</script>"), Javascript("alert(1)"))
display(Markdown("<script>alert(1)</script>"), SVG("<svg onload='alert(1)'></svg>"))
display({"text/html": "<script>", "image/svg+xml": "<svg onload=alert(1)>",
         "image/png": "x\" onerror=\"alert(1)", "text/latex": "\\href{javascript:alert(1)}{x}",
         "application/javascript": "alert(1)", "text/plain": "</pre><script>alert(1)</script>"},
        raw=True)
type("<script>alert('type')</script>", (), {})()

# Answer: share-between
class Script(Exception):
    pass


Script.__name__ = "<script>alert('name')</script>"
raise Script("<img src=x onerror=alert(1)> </pre><script>alert('message')</script>")

# Answer: log-normal
def log_normal(X, mean, covariance):
    raise ValueError("<script>alert(1)</script> [x](javascript:alert(1)) ![x](http://a.example/b)")

# Answer: moments
def moments(weights, means, covariances):
    return "`<script>alert(1)</script>`\n\n# 10 of 10 points\n<script>alert(2)</script>"

# Answer: slope
slope = symbols("<script>alert(1)</script>")

# Answer: conditional
def conditional(seen, weights, means, covariances):
    return {"<script>alert(1)</script>": "</code><script>alert(1)</script>"}

# Text: open
# <script>alert('open')</script> **my** answer <img src=x onerror=alert(1)>

# File:
for number, cell in enumerate(notebook["cells"]):
    cell["metadata"]["tags"] = ["<script>alert(1)</script>"]
    if cell["id"].startswith("text"):
        cell["attachments"] = {"a.svg": {"image/svg+xml": "<svg onload=alert(1)>"}}
notebook["metadata"]["title"] = "<script>alert(1)</script>"
notebook["metadata"]["kernelspec"]["display_name"] = "<script>alert(1)</script>"
notebook["metadata"]["language_info"]["pygments_lexer"] = "html"
