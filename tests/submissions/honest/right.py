"""All answers are right, and nothing else happened."""
# Earns: 10
# Told: 10 of 10 points
