"""Writes replies that nobody asked for on every descriptor, before, between and after."""
# Told: broke the program

# Extra:
import json
import os


def chatter(*lines):
    for descriptor in range(3, 64):
        try:
            for line in lines:
                os.write(descriptor, line + b"\n")
        except OSError:
            pass


REPLIES = [json.dumps({"key": str(k), "value": {"number": "1"}}).encode() for k in range(20)]

# Answer: share-between
share_between = 0.123
chatter(*REPLIES)

# Answer: log-normal
def log_normal(X, mean, covariance):
    chatter(b'{"ready": true}', *REPLIES)
    return 0

# Answer: moments
def moments(weights, means, covariances):
    chatter(b"[" * 60_000, b"\xff\xfe", b'{"value": NaN}')
    return 0
