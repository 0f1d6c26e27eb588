"""Request and columns -> peers with a fixed recipe: trees, forests, linear models, RealMLP."""

from __future__ import annotations

from typing import Any, Self

from accuracy_systems import MODELS_TRAINED, Request

# HistGradientBoosting takes 255 categories at most; the rarest share one code.
MOST_CATEGORIES = 250
MOST_ONE_HOT = 30
N_TREES = 300
N_PENALTIES = 13


def category_columns(X: Any) -> list[str]:
    return list(X.columns[X.dtypes == "category"])


def dense_columns() -> Any:
    """Standardised numbers (the median where missing) and one column a frequent category."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    categories = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=MOST_ONE_HOT, sparse_output=False
    )
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (categories, make_column_selector(dtype_include="category")),
    )


def linear(request: Request, _: Any) -> Any:
    import numpy as np
    from sklearn.linear_model import LogisticRegressionCV, RidgeCV
    from sklearn.pipeline import make_pipeline

    if request.task == "regression":
        model = RidgeCV(np.logspace(-3, 3, N_PENALTIES))
    else:
        model = LogisticRegressionCV(Cs=7, cv=3, max_iter=500, n_jobs=request.n_jobs)
    return make_pipeline(dense_columns(), model)


def random_forest(request: Request, _: Any) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.pipeline import make_pipeline

    forest = (RandomForestRegressor if request.task == "regression" else RandomForestClassifier)(
        n_estimators=N_TREES, n_jobs=request.n_jobs, random_state=request.seed
    )
    return make_pipeline(dense_columns(), forest)


def boosted_trees(request: Request, X: Any) -> Any:
    import numpy as np
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    columns = category_columns(X)
    codes = OrdinalEncoder(
        max_categories=MOST_CATEGORIES, handle_unknown="use_encoded_value", unknown_value=np.nan
    )
    # The coded columns come first, so their places are known.
    ordered = make_column_transformer(
        (codes, columns), remainder="passthrough", verbose_feature_names_out=False
    )
    boosting = (
        HistGradientBoostingRegressor
        if request.task == "regression"
        else HistGradientBoostingClassifier
    )(random_state=request.seed, categorical_features=list(range(len(columns))) or None)
    return make_pipeline(ordered, boosting)


def lightgbm(request: Request, _: Any) -> Any:
    from lightgbm import LGBMClassifier, LGBMRegressor

    estimator = LGBMRegressor if request.task == "regression" else LGBMClassifier
    return estimator(n_jobs=request.n_jobs, random_state=request.seed, verbose=-1)


def realmlp(request: Request, _: Any) -> Any:
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    settings = realmlp_settings(request)
    if request.task == "regression":
        return WithoutMissing(RealMLP_TD_Regressor(**settings))
    # Its authors switch label smoothing off where AUC or log loss is what counts.
    return WithoutMissing(RealMLP_TD_Classifier(use_ls=False, **settings))


def tuned_realmlp(request: Request, _: Any) -> Any:
    """Random settings of RealMLP from its paper's space, and a greedy ensemble of all."""
    from pytabkit import RealMLP_HPO_Classifier, RealMLP_HPO_Regressor

    settings = {
        **realmlp_settings(request),
        "n_hyperopt_steps": MODELS_TRAINED["realmlp_tuned"],
        "hpo_space_name": "default",
        "use_caruana_ensembling": True,
    }
    if request.task == "regression":
        return WithoutMissing(RealMLP_HPO_Regressor(**settings))
    # What counts here chooses the epochs and the ensemble; probabilities are calibrated for it.
    if request.task == "binary":
        settings["val_metric_name"] = "1-auc_ovr"
    else:
        settings |= {"val_metric_name": "cross_entropy", "calibration_method": "ts-mix"}
    return WithoutMissing(RealMLP_HPO_Classifier(**settings))


def realmlp_settings(request: Request) -> dict[str, Any]:
    return {"device": "cpu", "n_threads": request.n_jobs, "random_state": request.seed}


class WithoutMissing:
    """A model that refuses NaN, given medians and a column that says where they stand."""

    MISSING = "__missing"

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, X: Any, y: Any) -> Self:
        numbers = X.select_dtypes("number")
        self.medians = numbers.loc[:, numbers.isna().any()].median()
        self.model.fit(self._filled(X), y)
        return self

    def predict(self, X: Any) -> Any:
        return self.model.predict(self._filled(X))

    def predict_proba(self, X: Any) -> Any:
        return self.model.predict_proba(self._filled(X))

    def _filled(self, X: Any) -> Any:
        X = X.copy()
        for column, median in self.medians.items():
            X[f"{column}{self.MISSING}"] = X[column].isna().astype("int64")
            X[column] = X[column].fillna(median)
        for column in category_columns(X):
            X[column] = X[column].astype("object").fillna(self.MISSING).astype("category")
        return X
