"""gmmlib: the Gaussian mixtures and the EM algorithm of *The Cake-Shop Detective*.

The names below are all that a chapter needs. `gmmlib.em` is the module of chapters 4 to 6 and stays
a module; its generator of states is `gmmlib.em.em`, so write `from gmmlib.em import em`.

`gmmlib.selection` (how many components, chapter 8), `gmmlib.bayes` (priors and the variational
mixture, chapter 9), `gmmlib.data`, `gmmlib.derive` and `gmmlib.show` are imported by name.
"""

from gmmlib.em import Fit, State, e_step, fit, m_step
from gmmlib.likelihood import (
    complete_log_likelihood,
    elbo,
    elbo_gap,
    entropy,
    kl_divergence,
    log_likelihood,
    q_function,
)
from gmmlib.mixture import Mixture
from gmmlib.start import kmeans_plus_plus_start, kmeans_start, random_start
from gmmlib.validation import CollapseError

__all__ = [
    "CollapseError",
    "Fit",
    "Mixture",
    "State",
    "complete_log_likelihood",
    "e_step",
    "elbo",
    "elbo_gap",
    "entropy",
    "fit",
    "kl_divergence",
    "kmeans_plus_plus_start",
    "kmeans_start",
    "log_likelihood",
    "m_step",
    "q_function",
    "random_start",
]
