"""Never ends: in a cell, in a call, and in what catches every signal and exception."""
# Told: took longer than

# Answer: share-between
import signal

for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
share_between = 0.123
while True:
    try:
        while True:
            pass
    except BaseException:
        pass

# Answer: log-normal
def log_normal(X, mean, covariance):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
