"""Element patterns against what they integrate to, 3GPP's half-power beamwidths and arithmetic by hand."""

import numpy as np
import pytest
from scipy.integrate import quad

from twin.radio.channel import PlanarArray
from twin.radio.channel.element_pattern import CosinePower, Isotropic, Reflector

EVERY_PATTERN = pytest.mark.parametrize(
    "pattern",
    [
        Isotropic(),
        CosinePower(exponent=0.0),
        CosinePower(),
        CosinePower(exponent=2.7),
        Reflector(aperture_wavelengths=13.0),
    ],
    ids=repr,
)


@EVERY_PATTERN
def test_a_pattern_is_one_along_the_boresight_nothing_behind_and_never_more(pattern):
    assert pattern.relative_gain(np.array(1.0)) == 1.0
    angle = np.linspace(0.0, np.pi, 20_001)
    gain = pattern.relative_gain(np.cos(angle))
    assert gain.shape == angle.shape
    assert np.isfinite(gain).all()
    assert ((gain >= 0.0) & (gain <= 1.0)).all()
    assert not gain[angle > 0.5 * np.pi + 1e-9].any()
    assert pattern.relative_gain(np.ones((3, 0, 2))).shape == (3, 0, 2)
    assert pattern.uniform == bool((gain[angle < 0.5 * np.pi - 1e-9] == 1.0).all())


def test_an_array_has_no_pattern_unless_told():
    array = PlanarArray(rows=4, columns=4, element_gain_dbi=6.0)
    assert array == PlanarArray(rows=4, columns=4, element_gain_dbi=6.0, pattern=Isotropic())
    assert hash(array) == hash(PlanarArray(rows=4, columns=4, element_gain_dbi=6.0))
    np.testing.assert_array_equal(array.element_gain(np.array([1.0, 0.3, 1e-9, 0.0, -0.5])), [10**0.6] * 3 + [0.0, 0.0])


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 3.5])
def test_a_cosine_power_radiates_all_of_its_power_at_its_peak_gain(exponent):
    pattern = CosinePower(exponent=exponent)
    peak = 10.0 ** (0.1 * pattern.peak_gain_dbi)
    radiated, _ = quad(lambda angle: float(pattern.relative_gain(np.cos(angle))) * np.sin(angle), 0.0, 0.5 * np.pi)
    # 2 pi G over half a sphere is 4 pi; a quadrature's error
    assert 0.5 * peak * radiated == pytest.approx(1.0, abs=1e-7)
    assert pattern.relative_gain(np.array(0.5)) == pytest.approx(0.5**exponent)


def test_a_cosine_loses_3_db_at_60_degrees():
    array = PlanarArray(rows=1, columns=1, element_gain_dbi=6.0, pattern=CosinePower())
    gain_dbi = 10.0 * np.log10(array.element_gain(np.cos(np.radians([0.0, 60.0, 90.1]))[:2]))
    np.testing.assert_allclose(gain_dbi, [6.0, 6.0 - 10.0 * np.log10(2.0)], atol=1e-12)


BEAMWIDTHS = [
    # aperture in m, carrier in GHz, half-power beamwidth in degrees: TR 38.821, Tables 6.1.1.1-1 and 6.1.1.1-2
    (22.0, 2.0, 0.4011),
    (2.0, 2.0, 4.4127),
    (12.0, 2.0, 0.7353),
    (1.0, 2.0, 8.832),
    (5.0, 20.0, 0.1765),
    (0.5, 20.0, 1.7647),
    (2.0, 20.0, 0.4412),
    (0.2, 20.0, 4.4127),
]


@pytest.mark.parametrize(("aperture_m", "carrier_ghz", "beamwidth_deg"), BEAMWIDTHS)
def test_a_reflector_has_the_beamwidth_that_3gpp_prints(aperture_m, carrier_ghz, beamwidth_deg):
    pattern = Reflector(aperture_wavelengths=aperture_m * carrier_ghz / 0.299_792_458)
    gain = pattern.relative_gain(np.cos(np.radians(0.5 * beamwidth_deg)))
    # the print took 3 dB, with a speed of light of 3e8: half a decibel's hundredth or two of slope at this edge
    assert 10.0 * np.log10(gain) == pytest.approx(-3.0, abs=0.05)


def test_a_reflector_has_the_nulls_and_the_side_lobe_of_a_round_aperture():
    pattern = Reflector(aperture_wavelengths=20.0)
    # first zero and first extremum of J1(x)/x: x = 3.8317 and 5.1356, -17.57 dB (tables of Bessel functions)
    null, lobe = (np.sqrt(1.0 - (x / (20.0 * np.pi)) ** 2) for x in (3.831706, 5.135622))
    assert pattern.relative_gain(np.array(null)) < 1e-12
    assert 10.0 * np.log10(pattern.relative_gain(np.array(lobe))) == pytest.approx(-17.57, abs=0.005)


def test_a_reflector_is_smooth_where_its_series_takes_over():
    pattern = Reflector(aperture_wavelengths=1e3)
    angle = np.geomspace(1e-10, 1e-6, 400)
    gain = pattern.relative_gain(np.sqrt(1.0 - np.sin(angle) ** 2))
    x = 1e3 * np.pi * angle
    # the cosine of 1e-6 is known to 1e-16, its sine so to 1e-10, and x² / 4 to 1e-9
    np.testing.assert_allclose(gain, 1.0 - 0.25 * x * x, atol=2e-9)


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_what_is_no_pattern_is_refused(wrong):
    with pytest.raises(ValueError, match="exponent = "):
        CosinePower(exponent=wrong)
    with pytest.raises(ValueError, match="aperture_wavelengths = "):
        Reflector(aperture_wavelengths=wrong)
