"""What a problem set's notebook needs: its checks, and the page that gathers what was solved.

Apart from numpy and sympy nothing is imported here, since graded answers run where the rest of
gmmlib is out of reach: it holds what they are asked to write.
"""

from gmmlib.exercises.certificate import certificate
from gmmlib.exercises.check import Checks

__all__ = ["Checks", "certificate"]
