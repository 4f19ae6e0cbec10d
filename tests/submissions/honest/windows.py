"""Edited on Windows: line ends, a byte order mark."""
# Earns: 10
# Told: Windows line ends were converted
# Told: byte order mark

# File:
for cell in notebook["cells"]:
    cell["source"] = cell["source"].replace("\n", "\r\n")
raw = b"\xef\xbb\xbf" + json.dumps(notebook, indent=1).replace("\n", "\r\n").encode()
