# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # At what age of elements is the precoding gain lost?
#
# Satellites point their beams, and networks select satellites, by predicted orbits. Two catalogues of the same
# constellation, a few days apart, give the error of predictions. A scenario with the same error in `[belief]` gives the
# loss of spectral efficiency.
#
# Usage: python analysis/element_age.py OLDER NEWER [--out DIR]
#
# writes `element-age.csv`, `element-age-positions.csv` and the figure `element-age`. The two catalogues are files of
# the same satellites in a format that `twin catalogue info` reads.

# %%
from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

import twin
from twin.catalogue import Catalogue, read_catalogue
from twin.geometry.ephemeris import Ephemeris
from twin.simulation.compare import as_frame, compare

SCENE = Path(__file__).resolve().parents[1] / "scenarios" / "starlink-hour.toml"
PRECODERS = ("ms_jo_cdwmmse", "szf", "smrt", "ss_wmmse")
ERRORS_KM = (0.0, 0.3, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
MEDIAN = 0.6745
"""Median of the magnitude of a Gaussian error, divided by its standard deviation."""
OPERATIONAL_KM = (450.0, 700.0)
"""Perigee altitudes; satellites below are still raising their orbits by continuous thrust and serve no terminal."""

# %% [markdown]
# ## Distance between the positions that two catalogues predict
#
# At an instant between the two dates, one catalogue predicts forwards over an age a and the other backwards over an age
# b. If errors grow as a power of the age, e(a) = c aᵖ, and are independent, the distance is √(e(a)² + e(b)²). Its
# minimum, in the middle, and its value at the newer date determine c and p without knowledge of the true positions.


# %%
def differences(older: Catalogue, newer: Catalogue, instants: np.ndarray) -> pd.DataFrame:
    """Median and quartiles of the distance between predictions, and the median ages of the elements, by instant."""
    both = np.intersect1d([each.norad_id for each in older.sets], [each.norad_id for each in newer.sets])
    epochs = [
        np.array([held[number] for number in both.tolist()])
        for held in ({each.norad_id: each.epoch for each in catalogue.sets} for catalogue in (older, newer))
    ]
    states = [Ephemeris(catalogue.sets).states(instants, both) for catalogue in (older, newer)]
    rows = []
    for index, instant in enumerate(instants):
        usable = states[0].usable[index] & states[1].usable[index]
        difference_km = (states[0].position_km - states[1].position_km)[index, usable]
        distance_km = np.sqrt((difference_km**2).sum(axis=-1))
        ages = [np.median((instant - epoch[usable]) / np.timedelta64(1, "D")) for epoch in epochs]
        rows.append([instant, *ages, *np.percentile(distance_km, [25.0, 50.0, 75.0])])
    return pd.DataFrame(
        rows, columns=["instant", "older_age_d", "newer_age_d", "quartile_km", "median_km", "upper_quartile_km"]
    )


def growth(table: pd.DataFrame) -> tuple[float, float]:
    """c in km and p of e(a) = c aᵖ, a in days, by least squares on the logarithm of the median."""
    older, newer = table["older_age_d"].to_numpy(), table["newer_age_d"].abs().to_numpy()
    log_median = np.log(table["median_km"].to_numpy())
    found = []
    for power in np.arange(0.5, 3.5, 0.01):
        shape = 0.5 * np.log(older ** (2.0 * power) + newer ** (2.0 * power))
        level = float((log_median - shape).mean())
        found.append((float(((log_median - shape - level) ** 2).sum()), float(np.exp(level)), float(power)))
    _, coefficient, power = min(found)
    return coefficient, power


# %% [markdown]
# ## Loss of spectral efficiency
#
# Every five minutes of two hours of `starlink-hour`, five satellites jointly serve 48 terminals. Errors are along the
# track, which holds nearly the whole difference between the catalogues, Gaussian, and independent between satellites.
# Phase alignment is that of the scenario, because pilots align phases, not predicted orbits. The last point uses the
# older catalogue as belief.


# %%
def scores(settings: Sequence[str], precoders: Sequence[str]) -> pd.DataFrame:
    """One row per precoder, over instants of the scene five minutes apart, at which different satellites serve."""
    low, high = OPERATIONAL_KM
    cadences = [f'{key}="5min"' for key in ("time.epoch", "association.every", "precoding.every")]
    common = ['time.duration="2h"', *cadences, f"constellation.perigee_km=[{low}, {high}]"]
    scenario = twin.load_scenario(SCENE, [*common, *settings])
    return as_frame(compare(scenario, precoders))


def curve(newer: Path, errors_km: Sequence[float], precoders: Sequence[str]) -> pd.DataFrame:
    """Sum spectral efficiency as a function of the standard deviation of the along-track error."""
    parts = [
        scores([f'constellation.source="{newer}"', f"belief.orbit.along_track_km={error_km}"], precoders).assign(
            along_track_km=error_km
        )
        for error_km in errors_km
    ]
    return pd.concat(parts, ignore_index=True)


def measured(older: Path, newer: Path, precoders: Sequence[str]) -> pd.DataFrame:
    """Sum spectral efficiency with the elements of the older catalogue as belief."""
    settings = [f'constellation.source="{newer}"', f'belief.source="{older}"']
    return scores(settings, precoders).assign(along_track_km=np.nan)


# %%
def drawn(positions: pd.DataFrame, rates: pd.DataFrame, law: tuple[float, float], file: Path) -> None:
    """Draw both results in one figure."""
    import matplotlib.pyplot as plt

    plt.rcParams["svg.hashsalt"] = "twin"
    coefficient, power = law
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.0, 4.0), layout="constrained")
    day = positions["older_age_d"]
    left.fill_between(day, positions["quartile_km"], positions["upper_quartile_km"], alpha=0.2, label="quartiles")
    left.plot(day, positions["median_km"], "o-", label="median distance between the two catalogues")
    ages = np.linspace(0.2, day.max(), 200)
    left.plot(ages, coefficient * ages**power, "--", label=f"error over age: {coefficient:.2g} km (days)^{power:.2g}")
    left.set(xlabel="age of the older elements [days]", ylabel="position [km]", yscale="log", ylim=(0.05, None))
    left.legend(fontsize="small")
    known = rates[rates["along_track_km"] > 0.0]
    for name, own in known.groupby("precoder", sort=False):
        line = right.plot(own["along_track_km"], own["sum_se_bps_hz"], "o-", label=name)[0]
        perfect = rates[(rates["along_track_km"] == 0.0) & (rates["precoder"] == name)]["sum_se_bps_hz"]
        real = rates[rates["along_track_km"].isna() & (rates["precoder"] == name)]["sum_se_bps_hz"]
        right.axhline(float(perfect.iloc[0]), color=line.get_color(), linewidth=0.5)
        if len(real):
            right.plot([known["along_track_km"].max() * 1.8], real, "x", color=line.get_color())
    right.set(
        xlabel="standard deviation of the along-track error [km] (x: older catalogue)",
        ylabel="sum spectral efficiency [bit/s/Hz]",
        xscale="log",
        ylim=(0.0, None),
    )
    right.legend(fontsize="small")
    top = right.secondary_xaxis(
        "top",
        functions=(
            lambda km: (MEDIAN * np.maximum(km, 1e-9) / coefficient) ** (1.0 / power),
            lambda days: coefficient * np.maximum(days, 1e-9) ** power / MEDIAN,
        ),
    )
    top.set_xlabel("age of elements with the same median error [days]")
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)
    plt.close(figure)


# %%
def main(words: Sequence[str] | None = None) -> None:
    """Read the command line, compute the results, write tables and figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("older", type=Path)
    parser.add_argument("newer", type=Path)
    parser.add_argument("--out", type=Path, default=Path())
    parser.add_argument(
        "--errors", type=float, nargs="+", default=list(ERRORS_KM), help="standard deviations in km, including 0"
    )
    asked = parser.parse_args(words)
    low_high = {"perigee_km": OPERATIONAL_KM}
    older, newer = (read_catalogue([file]).select(**low_high) for file in (asked.older, asked.newer))
    first, last = (max(each.epoch for each in catalogue.sets) for catalogue in (older, newer))
    instants = first + (last - first) * np.arange(1, 9) // 8
    positions = differences(older, newer, instants)
    law = growth(positions)
    older_file, newer_file = asked.older.absolute(), asked.newer.absolute()
    rates = pd.concat(
        [curve(newer_file, asked.errors, PRECODERS), measured(older_file, newer_file, PRECODERS)], ignore_index=True
    )
    asked.out.mkdir(parents=True, exist_ok=True)
    positions.to_csv(asked.out / "element-age-positions.csv", index=False)
    rates.to_csv(asked.out / "element-age.csv", index=False)
    for kind in ("svg", "png"):
        drawn(positions, rates, law, asked.out / f"element-age.{kind}")
    table = rates.pivot(index="along_track_km", columns="precoder", values="sum_se_bps_hz").round(1)
    law_text = f"error at age a in days: {law[0]:.3g} km a^{law[1]:.3g}"
    sys.stdout.write("\n\n".join([positions.to_string(index=False), law_text, table.to_string()]) + "\n")


if __name__ == "__main__":
    main()
