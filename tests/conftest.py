"""Settings that every test shares."""

from hypothesis import HealthCheck, settings

# The same examples on every machine and every run: a failure can be repeated by anybody.
settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("repeatable")
