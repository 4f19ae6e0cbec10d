"""A name in the form of macOS, with accents as characters of their own."""
# Earns: 10

# File:
import unicodedata

path = unicodedata.normalize("NFD", "Zoë Åström/ps1.ipynb")
