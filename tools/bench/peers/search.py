# SPDX-License-Identifier: BSD-3-Clause
"""The highest rate that passes, and what becomes of repeated measurements."""

TRIES = 3       # a rate fails when it failed in most of them: a disturbed machine loses packets too
WIDTH = 1.04    # the search ends when the lowest rate that failed is within this of the highest that passed
STEP = 1.6
CONFIRMATIONS = 3


def passes(trial, rate, tries=TRIES):
    """Whether most of `tries` trials at the rate pass; stops when that is decided."""
    good = bad = 0
    while good <= tries // 2 and bad <= tries // 2:
        if trial(rate):
            good += 1
        else:
            bad += 1
    return good > bad


def highest(trial, start, ceiling, width=WIDTH, tries=TRIES):
    """The highest rate (packets a second, up to `ceiling`) at which trial(rate) is true, and the lowest at which it was
    not (None: there was none). A rate that fails gets `tries` trials, one that passes has passed; in the end most of
    `tries` at the result must pass, or it goes down a step (CONFIRMATIONS times). 0 if a hundredth of `start` fails."""
    good, bad, rate = 0, None, min(start, ceiling)
    while good < ceiling and (bad is None or not good or bad > good * width):
        if trial(rate) or passes(trial, rate, tries - 1):
            good = rate
        else:
            bad = rate
        if bad is None:
            rate = min(ceiling, int(good * STEP))
        elif good:
            rate = int((good * bad) ** 0.5)
        elif bad > start / 100:
            rate = int(bad / STEP)
        else:
            return 0, bad
    for _ in range(CONFIRMATIONS):
        if passes(trial, good, tries):
            break
        bad = good
        good = int(good / width)
    return good, bad


def percentile(values, share):
    """Linear between the nearest ranks; `values` need not be sorted. None of none."""
    if not values:
        return None
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def spread(values):
    """{p10, median, p90, n} of the values, or None of none."""
    values = [v for v in values if v is not None]
    if not values:
        return None
    return {"p10": percentile(values, 0.1), "median": percentile(values, 0.5), "p90": percentile(values, 0.9),
            "n": len(values)}
