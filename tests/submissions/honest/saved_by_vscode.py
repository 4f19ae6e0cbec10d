"""Saved by VS Code: other ids, no marks of nbgrader, a kernel of its own."""
# Earns: 10

# File:
notebook["metadata"] = {
    "kernelspec": {"display_name": ".venv (3.12.3)", "language": "python", "name": "python3"},
    "language_info": {"codemirror_mode": {"name": "ipython", "version": 3},
                      "file_extension": ".py", "name": "python", "version": "3.12.3"},
}
for number, cell in enumerate(notebook["cells"]):
    cell["id"] = f"{number:08x}"
    cell["metadata"] = {"vscode": {"languageId": "python"}}
