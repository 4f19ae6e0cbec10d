"""A name in the form of macOS, with accents as characters of their own."""
# Earns: 10
# Told: 10 of 10 points

# File:
import unicodedata

path = unicodedata.normalize("NFD", "Zoë Åström/ps1.ipynb")
