"""Handed in as it was given out."""
# Earns: 0
# Told: Not answered yet

# File:
notebook = json.loads(json.dumps(release))
