"""All answers are right, and nothing else happened."""
# Earns: 10
