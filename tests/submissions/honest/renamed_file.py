"""A second download from Moodle, under the name of a copy."""
# Earns: 10

# File:
path = "Renée Dupont_991_assignsubmission_file_/Copy of ps1 (2).ipynb"
