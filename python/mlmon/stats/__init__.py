"""The statistics of mlmon, usable by themselves: over bin counts, over samples, over many columns at once.

Every function is a plain one: arrays in, numbers out, nothing read and nothing stored. What each
number means is in docs/numbers.md, how to use the library in docs/stats.md. A value that is undefined
is NaN; an argument that cannot be used is a ValueError that says the fix.
"""

from mlmon.stats.kolmogorov import ks_p_values
from mlmon.stats.multiple import benjamini_hochberg
from mlmon.stats.p_values import binned_p_values, chi_square_p_values, two_proportion_p_values

__all__ = [
    "benjamini_hochberg",
    "binned_p_values",
    "chi_square_p_values",
    "ks_p_values",
    "two_proportion_p_values",
]
