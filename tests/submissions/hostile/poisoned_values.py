"""Answers that lie about themselves: equal to all, other arrays on each look, code as a repr."""

# Extra:
import os


class Same(float):
    """Equal to everything, and hostile to everybody who asks."""

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __hash__ = float.__hash__
    __lt__ = __le__ = __gt__ = __ge__ = __eq__
    __sub__ = __rsub__ = __abs__ = lambda self, *other: 0.0

    def __array__(self, *arguments, **options):
        return np.zeros(1)

    def __repr__(self):
        return "<script>alert('repr')</script>"

    def __reduce__(self):
        return os.system, ("touch cake-shop-intruder",)

    @property
    def __class__(self):
        return bool


class Array(np.ndarray):
    def __array_function__(self, function, types, arguments, options):
        return True

    def __array_ufunc__(self, *arguments, **options):
        return np.True_

    def __eq__(self, other):
        return True

    def ravel(self, order="C"):
        raise KeyboardInterrupt


class Formula:
    """Not sympy's; its text would be code."""

    free_symbols = set()

    def _sympyrepr(self, printer):
        return "__import__('os').system('touch cake-shop-intruder') or Float('abc')"


class Yes:
    def __bool__(self):
        return True

    def __eq__(self, other):
        return True

    __class__ = bool

# Answer: share-between
share_between = Same(0.123)

# Answer: log-normal
def log_normal(X, mean, covariance):
    return np.zeros(len(X)).view(Array)

# Answer: moments
def moments(weights, means, covariances):
    class Text(str):
        def __eq__(self, other):
            return True

        __hash__ = str.__hash__

    return Text("right"), {Text("mean"): Same(0)}

# Answer: slope
slope = Formula()

# Answer: conditional
def conditional(seen, weights, means, covariances):
    class Liar(tuple):
        def __iter__(self):
            os._exit(0)

    return Liar([Same(0), Same(0), Same(0)])

# Answer: catch-the-bug
def is_lawful(log_density):
    return Yes()
