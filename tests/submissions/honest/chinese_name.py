"""A name and comments that are not in ASCII."""
# Earns: 10
# Told: 差不多

# Extra:
平均值 = heights.mean()
print("差不多", 平均值)

# File:
path = "李雷.ipynb"
