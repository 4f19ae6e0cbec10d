"""Numbers that others published about the returns of the S&P 500, found again in the book's data.

Sources:

- R. S. Tsay, *Analysis of Financial Time Series*, 3rd ed., Wiley 2010, table 1.2: daily simple and
  log returns in percent, 2 January 1970 to the end of 2008.
- PubMed Central, article PMC8162171, table 2: the extremes of daily log returns from 29 January
  1985 on, without their signs. (Its other numbers depend on the last day, which is later than the
  book's.)
"""

import numpy as np
import pytest

from gmmlib.data import sp500

# days, mean, standard deviation, skewness, excess kurtosis, minimum, maximum; percent
TSAY_SIMPLE = (9845, 0.029, 1.056, -0.73, 22.81, -20.47, 11.58)
TSAY_LOG = (9845, 0.023, 1.062, -1.17, 30.20, -22.90, 10.96)
# half a unit of the last printed digit; rounded prices move a fourth moment a little
WITHIN = (0, 0.0005, 0.0005, 0.005, 0.02, 0.005, 0.005)


def simple_and_log():
    close = sp500().X[:, 0]
    dates = sp500().other["date"][1:]
    return dates, 100 * (close[1:] / close[:-1] - 1), 100 * np.diff(np.log(close))


def summary(returns):
    off = (returns - returns.mean()) / returns.std()
    shape = (off**3).mean(), (off**4).mean() - 3
    return len(returns), returns.mean(), returns.std(), *shape, returns.min(), returns.max()


@pytest.mark.parametrize(("kind", "published"), [(1, TSAY_SIMPLE), (2, TSAY_LOG)])
def test_moments_to_2008_are_those_of_tsay(kind, published):
    columns = simple_and_log()
    found = summary(columns[kind][columns[0] < "2009"])
    for value, printed, tolerance in zip(found, published, WITHIN, strict=True):
        assert value == pytest.approx(printed, abs=tolerance + 1e-9)


def test_extremes_since_1985_are_those_of_a_published_table():
    dates, _, log_returns = simple_and_log()
    since = log_returns[dates >= "1985-01-29"]
    assert abs(since.min()) == pytest.approx(22.900, abs=0.0005)
    assert since.max() == pytest.approx(10.957, abs=0.0005)


def test_one_day_makes_most_of_the_kurtosis():
    dates, _, log_returns = simple_and_log()
    (worst,) = np.flatnonzero(dates == "1987-10-19")
    assert worst == log_returns.argmin()
    assert summary(log_returns)[4] > 2.5 * summary(np.delete(log_returns, worst))[4]
