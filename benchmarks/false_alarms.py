"""How often the drift verdict is wrong: false alarms where nothing changed, power where something did.

    python benchmarks/false_alarms.py
    python benchmarks/false_alarms.py --repetitions 20000 --seed 2

Draws a new reference and a new window for every repetition, of normal, lognormal and tied numbers, of
100 and of 5,000 categories and of numbers with 5 % missing, and judges them by mlmon.stats as the warehouse does: the
ks of numbers from counts of cells, which the reference cuts (macros/stats/cells.sql). A window of 50,000 rows is not
drawn row by row: how many of its values fall between any two values of the reference or ends of cells is
multinomial, which is the same law. The tables of docs/false_alarms.md are its output.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from mlmon import stats
from mlmon.stats.inputs import Floats

ALPHA = 0.01
K = 10
ROWS = (30, 100, 300, 1_000, 5_000, 50_000)
REFERENCES = (1_000, 5_000)
# A window's columns under Benjamini-Hochberg: four of each kind, of which two drift in the second half.
COLUMNS, DRIFTED = 20, 2
# A window of twenty columns is as many repetitions; so there are fewer of them.
TWENTY_FEWER = 4
# A rate of one per cent needs more repetitions than a power: ± 0.31 at twice its error with 4,000.
UNCHANGED_TIMES = 2
# The p-values of ks are those that mlmon uses: exact up to so many pairs of values, else asymptotic.
EXACT_PAIRS = 1_000_000
# Repetitions that are drawn together: a few tens of megabytes.
CHUNK = 200
POISSON_MEAN = 20.0
CATEGORIES = {"categorical": 100, "flat": 5_000}
OWN_BINS = 100
# Where cells are cut, as the warehouse cuts them: shares of the reference in thousandths, and all of few values.
CELL_SHARES = np.array(sorted({1, 2, 5, 10, 990, 995, 998, 999} | set(range(25, 1_000, 25))))
MOST_VALUES_AS_EDGES = 60
# Equal widths between two edges, for features, and for scores and predictions.
FEATURE_WIDTHS, SCORE_WIDTHS = 5, 25


@dataclass(frozen=True)
class Case:
    """One kind of column, and what happens to it in the current window."""

    kind: str
    change: str = "nothing"
    shift: float = 0.0
    moved: float = 0.0
    missing: float = 0.0
    missing_now: float = 0.0


@dataclass(frozen=True)
class Windows:
    """Many pairs of a reference and a window: counts per bin (one pair a row), and the ks of their values."""

    reference: Floats
    current: Floats
    # A column of each of DISTANCES.
    ks: Floats
    n_values_reference: Floats
    n_values_current: Floats
    missing_reference: Floats
    missing_current: Floats
    # The test by buckets, for categories of which the reference saw some but once; else 0.
    bucket_p: Floats


# The ks of all values, and as cells tell it of features, and of scores and predictions.
DISTANCES = ("exact", "feature", "score")
EXACT, FEATURE, SCORE = range(3)

UNCHANGED = (
    Case("normal"),
    Case("lognormal"),
    Case("ties"),
    Case("categorical"),
    Case("flat"),
    Case("missing", missing=0.05, missing_now=0.05),
)
CHANGED = (
    Case("normal", "mean + 0.1 sd", shift=0.1),
    Case("normal", "mean + 0.25 sd", shift=0.25),
    Case("normal", "mean + 0.5 sd", shift=0.5),
    Case("normal", "mean + 1 sd", shift=1.0),
    Case("lognormal", "mean + 0.5 sd", shift=0.5),
    Case("ties", "mean + 0.5 sd", shift=0.5),
    Case("categorical", "a tenth moves to one category", moved=0.1),
    Case("missing", "missing 5 % to 20 %", missing=0.05, missing_now=0.20),
)
TENTH, HALF = CHANGED[0], CHANGED[2]


def draw(rng: np.random.Generator, case: Case, n: int, m: int, repetitions: int) -> Windows:
    """`repetitions` references of n rows, each with a window of m rows."""
    makers: dict[str, Callable[..., Windows]] = {
        "ties": _ties,
        "categorical": _categories,
        "flat": _categories,
    }
    make = makers.get(case.kind, _continuous)
    sizes = [min(CHUNK, repetitions - start) for start in range(0, repetitions, CHUNK)]
    return _joined([make(rng, case, n, m, size) for size in sizes])


def _joined(parts: Sequence[Windows]) -> Windows:
    """One below the other; empty bins are added on the right where some have fewer."""
    width = max(part.reference.shape[1] for part in parts)

    def padded(counts: Floats) -> Floats:
        return np.pad(counts, ((0, 0), (0, width - counts.shape[1])))

    return Windows(
        np.vstack([padded(part.reference) for part in parts]),
        np.vstack([padded(part.current) for part in parts]),
        np.concatenate([part.ks for part in parts]),
        np.concatenate([part.n_values_reference for part in parts]),
        np.concatenate([part.n_values_current for part in parts]),
        np.concatenate([part.missing_reference for part in parts]),
        np.concatenate([part.missing_current for part in parts]),
        np.concatenate([part.bucket_p for part in parts]),
    )


def cell_edges(ordered: Floats) -> Floats:
    """The values of a reference, in order, at which its cells are cut; the edges of its bins are among them."""
    n = len(ordered)
    distinct = np.unique(ordered)
    if len(distinct) <= MOST_VALUES_AS_EDGES:
        return distinct
    return np.unique(ordered[np.concatenate([[0], (n * CELL_SHARES + 999) // 1_000 - 1, [n - 1]])])


def cells_of(x: Floats, edges: Floats, widths: int) -> Floats:
    """The number of each value's cell: it grows with the value, and an edge is a cell of its own."""
    reached = np.searchsorted(edges, x, side="right")
    lower = np.concatenate([[np.nan], edges])[reached]
    upper = np.concatenate([edges, [np.nan]])[reached]
    step = (upper / 4 - lower / 4) / widths
    offset = x / 4 - lower / 4
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = np.minimum(widths, 1 + np.floor(offset / step))
        inside = np.where(np.isnan(step) | (offset <= step), 1, inside)
    return np.asarray(32 * reached + np.where(x == lower, 0, inside))


def ks_of_counts(a: Floats, b: Floats, cells: Floats) -> float:
    """The ks of two samples, of which a and b count the different values of both in their order: the largest
    distance where a cell ends, and inside one where all values of one side come before all of the other's."""
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    ours, theirs = (np.add.reduceat(side, starts) / side.sum() for side in (a, b))
    f, g = np.cumsum(ours), np.cumsum(theirs)
    places = np.arange(len(cells))
    first, last = (
        [np.minimum.reduceat(np.where(side > 0, places, len(places)), starts) for side in (a, b)],
        [np.maximum.reduceat(np.where(side > 0, places, -1), starts) for side in (a, b)],
    )
    both = (ours > 0) & (theirs > 0)
    ours_first = np.where(both & (last[0] < first[1]), f - (g - theirs), 0)
    theirs_first = np.where(both & (last[1] < first[0]), g - (f - ours), 0)
    return float(max(np.abs(f - g).max(), ours_first.max(), theirs_first.max()))


def ks_of_cells(reference: Floats, current: Floats, edges: Floats, widths: int) -> float:
    """The ks of two samples of finite values as the warehouse tells it."""
    x, place = np.unique(np.concatenate([reference, current]), return_inverse=True)
    sides = (place[: len(reference)], place[len(reference) :])
    a, b = (np.bincount(side, minlength=len(x)).astype(np.float64) for side in sides)
    return ks_of_counts(a, b, cells_of(x, edges, widths))


def _distances(x: Floats, a: Floats, b: Floats, edges: Floats) -> Floats:
    """The ks of two counts of the values x, as in DISTANCES."""
    if not (a.any() and b.any()):
        return np.full(len(DISTANCES), np.nan)
    exact = np.abs(np.cumsum(a) / a.sum() - np.cumsum(b) / b.sum()).max()
    by_cells = [ks_of_counts(a, b, cells_of(x, edges, w)) for w in (FEATURE_WIDTHS, SCORE_WIDTHS)]
    return np.array([exact, *by_cells])


def _continuous(rng: np.random.Generator, case: Case, n: int, m: int, size: int) -> Windows:
    """The reference is drawn; of the window it is drawn how many values lie between any two of its values and
    ends of cells. One value in their midst stands for them: it has the same cell and the same order."""
    lost = rng.binomial(n, case.missing, size)
    lost_now = rng.binomial(m, case.missing_now, size)
    parts = []
    for gone, gone_now in zip(lost.tolist(), lost_now.tolist(), strict=True):
        rows, rows_now = n - gone, m - gone_now
        ordered = np.sort(rng.standard_normal(rows))
        if case.kind == "lognormal":
            ordered = np.exp(ordered)
        edges = cell_edges(ordered)
        inner = np.linspace(edges[:-1], edges[1:], SCORE_WIDTHS + 1)[1:-1]
        points = np.concatenate([ordered, inner.ravel()])
        order = np.argsort(points)
        points, is_reference = points[order], order < rows
        shares = np.diff(_changed(points, case), prepend=0.0, append=1.0)
        between = rng.multinomial(rows_now, shares)
        below = np.cumsum(between)[:-1][is_reference]
        ranks = np.array([(rows * j + K - 1) // K for j in range(1, K)])
        # No value is on an edge but the reference's own, so counting up to the edge is (lower, upper].
        a = np.diff(ranks, prepend=0, append=rows)
        b = np.diff(below[ranks - 1], prepend=0, append=rows_now)
        # In turn what lies between and the points themselves.
        middles = np.concatenate(
            [points[:1] - 1, points[:-1] + np.diff(points) / 2, points[-1:] + 1]
        )
        x, ours, theirs = np.zeros((3, 2 * len(points) + 1))
        x[::2], x[1::2] = middles, points
        ours[1::2], theirs[::2] = is_reference, between
        seen = (ours > 0) | (theirs > 0)
        ks = _distances(x[seen], ours[seen], theirs[seen], edges)
        parts.append((np.append(a, gone), np.append(b, gone_now), ks))
    return Windows(
        np.array([a for a, _, _ in parts], dtype=np.float64),
        np.array([b for _, b, _ in parts], dtype=np.float64),
        np.array([ks for _, _, ks in parts]),
        (n - lost).astype(np.float64),
        (m - lost_now).astype(np.float64),
        lost.astype(np.float64),
        lost_now.astype(np.float64),
        np.zeros(size),
    )


def _changed(x: Floats, case: Case) -> Floats:
    """The changed distribution function."""
    if case.kind != "lognormal":
        return np.asarray(special.ndtr(x - case.shift))
    # exp(z) has the standard deviation sqrt((e - 1) * e); moved up, nothing is left below the shift.
    moved = x - case.shift * np.sqrt((np.e - 1) * np.e)
    return np.asarray(special.ndtr(np.log(np.maximum(moved, 1e-300))))


def _ties(rng: np.random.Generator, case: Case, n: int, m: int, size: int) -> Windows:
    """Poisson numbers; the window's mean is moved by `shift` standard deviations."""
    support = np.arange(150.0)
    ours = rng.multinomial(n, _poisson(support, POISSON_MEAN), size)
    moved = _poisson(support, POISSON_MEAN + case.shift * np.sqrt(POISSON_MEAN))
    theirs = rng.multinomial(m, moved, size)
    parts = []
    for row in range(size):
        reference, current = (np.repeat(support, side[row]) for side in (ours, theirs))
        bins = stats.numeric_bins(reference, k=K)
        a, b = stats.bin_counts(reference, bins), stats.bin_counts(current, bins)
        counted = ours[row].astype(np.float64), theirs[row].astype(np.float64)
        ks = _distances(support, counted[0], counted[1], cell_edges(reference))
        parts.append(_one_column(a, b, ks[None], n, m))
    return _joined(parts)


def _poisson(support: Floats, mean: float) -> Floats:
    shares = np.exp(support * np.log(mean) - mean - special.gammaln(support + 1))
    return np.asarray(shares / shares.sum())


def _categories(rng: np.random.Generator, case: Case, n: int, m: int, size: int) -> Windows:
    """100 shares that fall as 1/rank (Zipf), or 5,000 equal ones; `moved` of all rows go to one in the middle."""
    k = CATEGORIES[case.kind]
    shares = np.ones(k) if case.kind == "flat" else 1 / np.arange(1, k + 1)
    shares /= shares.sum()
    shares_now = shares * (1 - case.moved)
    shares_now[k // 2] += case.moved
    a = rng.multinomial(n, shares, size).astype(np.float64)
    drawn = rng.multinomial(m, shares_now, size).astype(np.float64)
    by_hashing = []
    for hashing in stats.HASHINGS:
        places = [stats.bucket_of(f"c{i}", hashing=hashing) for i in range(k)]
        bucket = np.eye(stats.N_BUCKETS)[places]
        by_hashing.append(stats.binned_p_values(*stats.table_sums(a @ bucket, drawn @ bucket)))
    by_bucket = np.minimum(1.0, len(by_hashing) * np.minimum(*by_hashing))
    bucket_p = np.where((a == 1).any(axis=1), by_bucket, 0.0)
    # The most frequent of the reference have a bin each, its others share one, and what it never had another.
    order = np.argsort(-a, axis=1, kind="stable")
    ours, theirs = (np.take_along_axis(side, order, axis=1) for side in (a, drawn))
    rest, unseen = ours[:, OWN_BINS:] > 0, ours == 0
    other = [(side[:, OWN_BINS:] * rest).sum(axis=1, keepdims=True) for side in (ours, theirs)]
    new = (theirs * unseen).sum(axis=1, keepdims=True)
    theirs = np.where(unseen, 0.0, theirs)[:, :OWN_BINS]
    none = np.zeros(size)
    return Windows(
        np.hstack([ours[:, :OWN_BINS], other[0], np.zeros((size, 1))]),
        np.hstack([theirs, other[1], new]),
        np.full((size, len(DISTANCES)), np.nan), none + n, none + m, none, none, bucket_p,
    )  # fmt: skip


def _one_column(a: Iterable[int], b: Iterable[int], ks: Floats, n: int, m: int) -> Windows:
    rows = [np.array([list(side)], dtype=np.float64) for side in (a, b)]
    zero = np.zeros(1)
    return Windows(rows[0], rows[1], ks, zero + n, zero + m, zero, zero, zero)


@dataclass(frozen=True)
class Judged:
    """Shares of windows: at or above a threshold, significant, and flagged by a verdict."""

    psi_large: float
    js_large: float
    ks_large: float
    p_binned: float
    p_chi_square: float
    p_ks: float
    p_exact_ks: float
    p_missing: float
    psi_verdict: float
    psi_or_ks_verdict: float
    insufficient: float


def judge(windows: Windows) -> Judged:
    psi = over_rows(stats.psi, windows)
    js = over_rows(stats.js_distance, windows)
    p_binned = stats.binned_p_values(*stats.table_sums(windows.reference, windows.current))
    p_ks = ks_p_values(windows)
    n, m = windows.reference.sum(axis=1), windows.current.sum(axis=1)
    p_missing = stats.two_proportion_p_values(
        windows.missing_reference, n, windows.missing_current, m
    )
    chi_square = [
        stats.chi_square(a, b).p_value
        for a, b in zip(windows.reference, windows.current, strict=True)
    ]
    cautious = np.maximum(p_binned, windows.bucket_p)
    by_psi = verdicts(windows, psi, cautious)
    # Two deciding methods share the level.
    by_half_psi = verdicts(windows, psi, np.minimum(2 * cautious, 1))
    by_ks = np.array(
        [
            stats.verdict(d, min(2 * p, 1), stats.min_detectable_effect("ks", rows, rows_now), 0.1)
            for d, p, rows, rows_now in zip(
                windows.ks[:, SCORE],
                p_ks[:, SCORE],
                windows.n_values_reference,
                windows.n_values_current,
                strict=True,
            )
        ]
    )
    flagged = is_drift(by_psi)
    with np.errstate(invalid="ignore"):
        return Judged(
            psi_large=float(np.mean(psi >= 0.1)),
            js_large=float(np.mean(js >= 0.1)),
            ks_large=float(np.mean(windows.ks[:, FEATURE] >= 0.1)),
            p_binned=float(np.mean(p_binned < ALPHA)),
            p_chi_square=float(np.mean(np.array(chi_square) < ALPHA)),
            p_ks=float(np.mean(p_ks[:, FEATURE] < ALPHA)),
            p_exact_ks=float(np.mean(p_ks[:, EXACT] < ALPHA)),
            p_missing=float(np.mean(p_missing < ALPHA)),
            psi_verdict=float(np.mean(flagged)),
            psi_or_ks_verdict=float(np.mean(is_drift(by_half_psi) | is_drift(by_ks))),
            insufficient=float(np.mean(by_psi == "insufficient_data")),
        )


def ks_p_values(windows: Windows) -> Floats:
    """The p-value of each window's ks, as in DISTANCES."""
    n, m = windows.n_values_reference, windows.n_values_current
    by_distance = [stats.ks_p_values(d, n, m, exact_pairs=EXACT_PAIRS) for d in windows.ks.T]
    return np.array(by_distance).T


def over_rows(statistic: Callable[[Floats, Floats], float], windows: Windows) -> Floats:
    pairs = zip(windows.reference, windows.current, strict=True)
    return np.array([statistic(a, b) for a, b in pairs])


def verdicts(windows: Windows, psi: Floats, p_values: Floats) -> np.ndarray:
    """The status of each window by psi, which is what decides for a feature."""
    n_bins = ((windows.reference > 0) | (windows.current > 0)).sum(axis=1)
    n, m = windows.reference.sum(axis=1), windows.current.sum(axis=1)
    return np.array(
        [
            stats.verdict(value, p, stats.min_detectable_effect("psi", *sizes), 0.1, 0.25)
            for value, p, *sizes in zip(psi, p_values, n, m, n_bins, strict=True)
        ]
    )


def is_drift(statuses: np.ndarray) -> np.ndarray:
    return np.isin(statuses, ["warning", "critical"])


def single_columns(
    cases: Iterable[Case],
    rows: Sequence[int],
    reps: int,
    seeds: Sequence[int],
) -> None:
    """One line per kind, reference and size: how often each rule speaks."""
    print(
        "| column | change | reference | window | psi ≥ 0.1 | js ≥ 0.1 | ks ≥ 0.1 | p of bins | p of chi_square"
        " | p of ks | p of exact ks | p of missing | verdict by psi | by psi or ks | insufficient |"
    )
    print("|" + "---|" * 2 + "---:|" * 13)
    for number, case in enumerate(cases):
        for n in REFERENCES:
            for m in rows:
                # Each line by itself, so that one can be measured again.
                rng = np.random.default_rng([*seeds, number, n, m])
                found = judge(draw(rng, case, n, m, reps))
                shares = [
                    found.psi_large,
                    found.js_large,
                    _of_values(case, found.ks_large),
                    found.p_binned,
                    found.p_chi_square,
                    _of_values(case, found.p_ks),
                    _of_values(case, found.p_exact_ks),
                    found.p_missing if case.missing else None,
                    found.psi_verdict,
                    _of_values(case, found.psi_or_ks_verdict),
                    found.insufficient,
                ]
                cells = " | ".join(percent(share) for share in shares)
                print(f"| {case.kind} | {case.change} | {n:,} | {m:,} | {cells} |", flush=True)


def _of_values(case: Case, share: float) -> float | None:
    return None if case.kind in CATEGORIES else share


def percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.2f}"


def twenty_columns(rng: np.random.Generator, rows: Sequence[int], reps: int) -> None:
    """Windows of twenty columns, adjusted: none drifts, then two do."""
    print(
        "| reference | window | columns flagged | windows with a flag | flagged before adjusting | of 2 that"
        " drift: flagged | of the other 18: flagged |"
    )
    print("|" + "---:|" * 7)
    for n in REFERENCES:
        for m in rows:
            quiet = _flags(rng, n, m, reps, [])
            loud = _flags(rng, n, m, reps, [HALF] * DRIFTED)
            cells = [
                quiet[0].mean(),
                quiet[0].any(axis=1).mean(),
                quiet[1].mean(),
                loud[0][:, :DRIFTED].mean(),
                loud[0][:, DRIFTED:].mean(),
            ]
            print(
                f"| {n:,} | {m:,} | " + " | ".join(percent(float(c)) for c in cells) + " |",
                flush=True,
            )


def _flags(
    rng: np.random.Generator, n: int, m: int, reps: int, drifting: Sequence[Case]
) -> tuple[np.ndarray, np.ndarray]:
    """Drift verdicts by psi, adjusted and not, one row a window and one column a column."""
    quiet = [UNCHANGED[index % len(UNCHANGED)] for index in range(COLUMNS - len(drifting))]
    columns = [draw(rng, case, n, m, reps) for case in (*drifting, *quiet)]
    psi = [over_rows(stats.psi, column) for column in columns]
    p_values = [
        stats.binned_p_values(*stats.table_sums(column.reference, column.current))
        for column in columns
    ]
    cautious = np.maximum(p_values, [column.bucket_p for column in columns])
    window = np.tile(np.arange(reps), COLUMNS)
    adjusted = stats.benjamini_hochberg(np.concatenate(cautious), window).reshape(COLUMNS, reps)
    by_adjusted, by_plain = (
        np.array([is_drift(verdicts(*row)) for row in zip(columns, psi, p, strict=True)]).T
        for p in (adjusted, cautious)
    )
    return by_adjusted, by_plain


def a_tenth(rng: np.random.Generator, references: Sequence[int], reps: int) -> None:
    """A shift of a tenth of a standard deviation in windows of 10,000 rows."""
    print("| reference | window | p of bins | p of ks | p of exact ks |")
    print("|" + "---:|" * 5)
    for n in references:
        windows = draw(rng, TENTH, n, 10_000, reps)
        p_binned = stats.binned_p_values(*stats.table_sums(windows.reference, windows.current))
        p_ks = ks_p_values(windows)
        p_values = (p_binned, p_ks[:, FEATURE], p_ks[:, EXACT])
        shares = [percent(float(np.mean(p < ALPHA))) for p in p_values]
        print(f"| {n:,} | 10,000 | " + " | ".join(shares) + " |", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repetitions", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--quick", action="store_true", help="a few small cells, to see that it runs"
    )
    parser.add_argument("--only", choices=["nothing", "something", "twenty", "tenth"])
    options = parser.parse_args(arguments)
    reps = min(20, options.repetitions) if options.quick else options.repetitions
    rows = (30, 300) if options.quick else ROWS
    references = (1_000,) if options.quick else (1_000, 5_000, 10_000, 50_000)

    print(
        f"Seed {options.seed}; per cent of {reps:,} repetitions a line,"
        f" {UNCHANGED_TIMES * reps:,} where nothing changed,"
        f" {max(1, reps // TWENTY_FEWER):,} windows of twenty columns."
    )
    times = UNCHANGED_TIMES * reps
    parts: dict[str, tuple[str, Callable[[np.random.Generator], None]]] = {
        "nothing": (
            "Nothing changed",
            lambda _: single_columns(UNCHANGED, rows, times, [options.seed, 0]),
        ),
        "something": (
            "Something changed",
            lambda _: single_columns(CHANGED, rows, reps, [options.seed, 1]),
        ),
        "twenty": (
            "Twenty columns, p-values adjusted",
            lambda rng: twenty_columns(rng, rows, max(1, reps // TWENTY_FEWER)),
        ),
        "tenth": (
            "A shift of a tenth of a standard deviation",
            lambda rng: a_tenth(rng, references, reps),
        ),
    }
    for number, (name, (title, part)) in enumerate(parts.items()):
        if options.only in (None, name):
            print(f"\n## {title}\n")
            part(np.random.default_rng([options.seed, number]))


if __name__ == "__main__":
    main()
