"""The upload broke off."""
# Earns: 0
# Told: The file is a damaged notebook (no valid JSON). It counts as a blank notebook.

# File:
raw = json.dumps(notebook).encode()[:5000]
