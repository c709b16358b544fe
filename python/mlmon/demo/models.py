"""The models that the demo pretends to serve: two versions of flight_late, one of air_time.

They are trained on every flight whatever share is logged, so that a tenth shows the same models as
the whole year. Training is bound to one thread: the order in which several add up their sums is not
fixed, and on so few rows threads cost more than they bring.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mlmon.demo.features import CATEGORIES, FEATURES

Values = np.ndarray[tuple[int], np.dtype[np.float64]]

REFERENCE_END = pd.Timestamp("2013-04-01")
RETRAINING_END = pd.Timestamp("2013-09-01")
THRESHOLD = 0.3
N_FOLDS = 4

# Chosen like a team would in spring: the temperature is left out, and the seasons will show it.
AIR_TIME_FEATURES = [
    name
    for name in FEATURES
    if name
    in (
        "carrier",
        "origin",
        "dest",
        "distance",
        "scheduled_hour",
        "plane_age",
        "seats",
        "wind_speed",
        "pressure",
    )
]


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted estimator with the columns it reads and the categories it knows."""

    estimator: Any
    features: list[str]
    categories: dict[str, list[str]]

    def predict(self, flights: pd.DataFrame) -> Values:
        """Probability of being late, or minutes in the air; one value per row of ``flights``."""
        with _one_thread():
            inputs = _encode(flights, self.features, self.categories)
            if hasattr(self.estimator, "predict_proba"):
                return np.asarray(self.estimator.predict_proba(inputs)[:, 1], dtype="float64")
            return np.asarray(self.estimator.predict(inputs), dtype="float64")


@dataclass(frozen=True, slots=True)
class TrainedModels:
    """What serves, and the reference: one value per flight before REFERENCE_END, in order."""

    late_v1: Model
    late_v2: Model
    air_time: Model
    reference_late: Values
    reference_air_time: Values


def train(flights: pd.DataFrame, progress: Callable[[str], None]) -> TrainedModels:
    """Train on what each version could have seen, and score the reference out of fold.

    Folds keep the flights of a local day together: they share weather and congestion, and a model
    that saw the day's other flights would look better in the reference than it can be later.

    Raises ModuleNotFoundError, with what to install, where scikit-learn is missing.
    """
    spring = flights[flights["local_day"] < REFERENCE_END]
    summer = flights[flights["local_day"] < RETRAINING_END]
    progress("training flight_late v1 (January to March) and scoring the reference out of fold")
    late_v1 = _fit(spring, "late", FEATURES)
    reference_late = _out_of_fold(spring, "late", FEATURES)
    progress("training flight_late v2 (January to August)")
    late_v2 = _fit(summer, "late", FEATURES)
    progress("training air_time and scoring its reference out of fold")
    return TrainedModels(
        late_v1=late_v1,
        late_v2=late_v2,
        air_time=_fit(spring, "air_time", AIR_TIME_FEATURES),
        reference_late=reference_late,
        reference_air_time=_out_of_fold(spring, "air_time", AIR_TIME_FEATURES),
    )


def _one_thread() -> Any:
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1)


def _fit(flights: pd.DataFrame, target: str, features: list[str]) -> Model:
    try:
        from sklearn.ensemble import (
            HistGradientBoostingClassifier,
            HistGradientBoostingRegressor,
        )
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "the demo trains its models with scikit-learn: pip install 'mlmon[demo]'"
        ) from error

    known = flights[flights[target].notna()]
    categories = {name: sorted(known[name].unique()) for name in features if name in CATEGORIES}
    estimator = (
        HistGradientBoostingClassifier if target == "late" else HistGradientBoostingRegressor
    )(
        max_iter=40,
        learning_rate=0.15,
        max_leaf_nodes=15,
        min_samples_leaf=100,
        l2_regularization=1.0,
        categorical_features=[name in CATEGORIES for name in features],
        early_stopping=False,
        random_state=0,
    )
    with _one_thread():
        estimator.fit(_encode(known, features, categories), known[target].to_numpy())
    return Model(estimator, features, categories)


def _out_of_fold(flights: pd.DataFrame, target: str, features: list[str]) -> Values:
    days = flights["local_day"].rank(method="dense").to_numpy().astype("int64")
    # Days go round the folds, so that each fold has every part of the season.
    fold = days % N_FOLDS
    result = np.empty(len(flights))
    for number in range(N_FOLDS):
        model = _fit(flights[fold != number], target, features)
        result[fold == number] = model.predict(flights[fold == number])
    return result


def _encode(
    flights: pd.DataFrame, features: list[str], categories: dict[str, list[str]]
) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Categories as their position among the trained ones; unknown ones are missing values."""
    columns = []
    for name in features:
        if name in categories:
            codes = pd.Index(categories[name]).get_indexer(pd.Index(flights[name]))
            columns.append(np.where(codes < 0, np.nan, codes.astype("float64")))
        else:
            columns.append(flights[name].to_numpy("float64"))
    return np.column_stack(columns)
