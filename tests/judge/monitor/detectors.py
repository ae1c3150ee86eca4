"""The e-detector for many years at once, written down a second time: the simulations' own."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from mlci.judge.monitor.detector import log_factors


def evidence_of(stream, rows, hits):
    """log M by year and period, without a cap; hits of shape (years, periods, parts)."""
    hit, miss = log_factors(stream)
    part = [bet.part for bet in stream.bets]
    seen = hits[..., part]
    log_lr = seen * hit + (np.asarray(rows)[..., None] - seen) * miss
    weight = -np.log(stream.horizon)
    log_s = np.full((hits.shape[0], len(stream.bets)), -np.inf)
    log_m = np.empty(hits.shape[:2])
    for t in range(hits.shape[1]):
        log_s = np.logaddexp(log_s, weight) + log_lr[:, t]
        mean = logsumexp(log_s, axis=1) - np.log(len(stream.bets))
        left = stream.horizon - t - 1
        log_m[:, t] = np.logaddexp(mean, np.log(left / stream.horizon) if left else -np.inf)
    return log_m


def first(alarmed):
    """The first period, counted from 1, in which each year is alarmed; infinity where none is."""
    return np.where(alarmed.any(axis=1), alarmed.argmax(axis=1) + 1.0, np.inf)
