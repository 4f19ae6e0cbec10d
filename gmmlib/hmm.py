r"""A mixture whose labels remember: the recursions of a hidden Markov model (chapter 12).

    forward               log f_nk = log p(x_1 ... x_n, c_n = k)         from the first row on
    backward              log b_nk = log p(x_{n+1} ... x_N | c_n = k)    from the last row back
    log_likelihood        log p(x_1 ... x_N), nats
    state_probabilities   p(c_n = k | all rows), the E-step

Rows are in time order; column k belongs to state k. What comes in are the log densities of every
row in every state, log p(x_n | c_n = k), whatever density that is: `Mixture.log_joint` minus the
log weights, or scipy's. Everything is done in logarithms, because f itself is zero to the computer
after some hundred rows. The cost is N K^2, where the sum over all paths has K^N terms.

`startprob` and `transmat` are named as in hmmlearn. If every row of `transmat` is `startprob`, the
model is the mixture with these weights. Source: {cite}`rabiner1989`.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gmmlib.validation import as_float_array, as_probabilities


def forward(log_densities: ArrayLike, startprob: ArrayLike, transmat: ArrayLike) -> NDArray:
    r"""Joint density of the rows so far and the present state, as logarithms: {eq}`forward`.

    Parameters
    ----------
    log_densities : array (n_samples, n_components)
        $\log p(x_n \mid c_n = k)$; minus infinity where state k can't produce row n.
    startprob : array (n_components,)
        $\pi_k$: probability that the first row is in state k. Zeros are allowed.
    transmat : array (n_components, n_components)
        $A_{jk}$: probability that state j is followed by state k; rows sum to one. Zeros are
        allowed.

    Returns
    -------
    array (n_samples, n_components), in nats: $\log f_{nk}$

    Raises
    ------
    ValueError
        If log densities are NaN or plus infinity, probabilities are negative or do not sum to
        one, or the shapes do not fit.
    """
    log_densities = _as_log_densities(log_densities)
    log_start, log_A = _log_probabilities(log_densities.shape[1], startprob, transmat)
    log_f = np.empty_like(log_densities)
    log_f[0] = log_start + log_densities[0]
    for n in range(1, len(log_densities)):
        arrivals = log_f[n - 1][:, None] + log_A  # [j, k]: was in j, then stepped to k
        log_f[n] = log_densities[n] + np.logaddexp.reduce(arrivals, axis=0)
    return log_f


def backward(log_densities: ArrayLike, transmat: ArrayLike) -> NDArray:
    r"""Density of the rows to come, given the present state, as logarithms: {eq}`backward`.

    Parameters
    ----------
    log_densities : array (n_samples, n_components), see `forward`
    transmat : array (n_components, n_components), see `forward`

    Returns
    -------
    array (n_samples, n_components), in nats: $\log b_{nk}$; the last row is zero

    Raises
    ------
    ValueError
        As in `forward`.
    """
    log_densities = _as_log_densities(log_densities)
    log_A = _log_transmat(log_densities.shape[1], transmat)
    log_b = np.zeros_like(log_densities)
    for n in range(len(log_densities) - 2, -1, -1):
        departures = log_A + log_densities[n + 1] + log_b[n + 1]  # [j, k]: from j steps to k
        log_b[n] = np.logaddexp.reduce(departures, axis=1)
    return log_b


def log_likelihood(log_densities: ArrayLike, startprob: ArrayLike, transmat: ArrayLike) -> float:
    r"""Log-likelihood of the whole sequence, the path summed out: {eq}`hmm-likelihood`.

    Parameters
    ----------
    log_densities, startprob, transmat : see `forward`

    Returns
    -------
    float, in nats, of all rows together; minus infinity if the model can't produce them

    Raises
    ------
    ValueError
        As in `forward`.
    """
    return float(np.logaddexp.reduce(forward(log_densities, startprob, transmat)[-1]))


def state_probabilities(
    log_densities: ArrayLike, startprob: ArrayLike, transmat: ArrayLike
) -> NDArray:
    r"""Probability of each state at each time, given *all* rows: {eq}`state-probabilities`.

    Parameters
    ----------
    log_densities, startprob, transmat : see `forward`

    Returns
    -------
    array (n_samples, n_components), rows sum to one

    Raises
    ------
    ValueError
        As in `forward`, and if the model can't produce the rows, so that nothing is left to share.
    """
    log_both = forward(log_densities, startprob, transmat) + backward(log_densities, transmat)
    log_sum = np.logaddexp.reduce(log_both, axis=1, keepdims=True)  # log L, in every row
    if np.isneginf(log_sum[0, 0]):
        raise ValueError(
            "log_densities: no path of states that startprob and transmat allow can produce these "
            "rows (log L is minus infinity); allow more transitions, or use wider densities"
        )
    return np.exp(log_both - log_sum)


def _as_log_densities(log_densities):
    """Log densities as a table (n_samples, n_components); minus infinity is a legal entry."""
    table = as_float_array("log_densities", log_densities)
    if table.ndim != 2 or table.size == 0:
        raise ValueError(
            f"log_densities has shape {table.shape}; it must be (n_samples, n_components) with a "
            "row and a component at least: one log density per row and state"
        )
    bad = np.isnan(table) | np.isposinf(table)
    if bad.any():
        n, k = np.argwhere(bad)[0]
        raise ValueError(
            f"log_densities[{n}, {k}] is {table[n, k]}; a log density is a number, or minus "
            "infinity where the state can't produce the row"
        )
    return table


def _log_transmat(n_components, transmat):
    transmat = as_probabilities("transmat", transmat, (n_components, n_components))
    with np.errstate(divide="ignore"):  # a forbidden step is minus infinity, and stays it in sums
        return np.log(transmat)


def _log_probabilities(n_components, startprob, transmat):
    startprob = as_probabilities("startprob", startprob, (n_components,))
    with np.errstate(divide="ignore"):
        return np.log(startprob), _log_transmat(n_components, transmat)
