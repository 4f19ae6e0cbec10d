"""A second download from Moodle, under the name of a copy."""
# Earns: 10
# Told: 10 of 10 points

# File:
path = "Renée Dupont_991_assignsubmission_file_/Copy of ps1 (2).ipynb"
