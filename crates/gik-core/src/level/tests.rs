//! Tests of levels.

use proptest::prelude::*;

use super::table::SURFACES;
use super::*;

fn level(text: &str) -> Level {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn names_values_and_units() {
    #[rustfmt::skip]
    let cases = [
        ("surface", "surface", None, "1"),
        ("2 m above ground", "heightAboveGround", Some(2.0), "m"),
        ("1829 m above mean sea level", "heightAboveSea", Some(1829.0), "m"),
        ("500 mb", "isobaricInhPa", Some(500.0), "hPa"),
        ("0.4 mb", "isobaricInhPa", Some(0.4), "hPa"),
        ("500-1000 mb", "isobaricLayer", Some(500.0), "hPa"),
        ("180-0 mb above ground", "pressureFromGroundLayer", Some(18000.0), "Pa"),
        ("0-0.1 m below ground", "depthBelowLandLayer", Some(0.0), "m"),
        ("0 m underground", "depthBelowLand", Some(0.0), "m"),
        ("0.995 sigma level", "sigma", Some(0.995), "1"),
        ("320 K isentropic level", "theta", Some(320.0), "K"),
        ("253 K level", "isothermal", Some(253.0), "K"),
        ("261 K level - 256 K level", "unknown", Some(261.0), "K"),
        ("PV=-1.5e-06 (Km^2/kg/s) surface", "potentialVorticity", Some(-1500.0), "1e-9 K m2 kg-1 s-1"),
        ("20C ocean isotherm", "oceanIsotherm", Some(20.0), "degC"),
        ("soil level 3", "soil", Some(3.0), "1"),
        ("3 in sequence", "orderedSequenceData", Some(3.0), "1"),
        ("atmos col", "entireAtmosphere", None, "1"),
        ("cloud ceiling", "cloudCeiling", None, "1"),
        ("no_level", "unknown", None, "1"),
    ];
    for (text, name, value, units) in cases {
        let level = level(text);
        assert_eq!((level.type_of_level(), level.value(), level.units()), (name, value, units));
        assert_eq!(level.to_string(), text);
    }
}

#[test]
fn both_surfaces() {
    let layer = level("3000-0 m above ground");
    assert_eq!(layer.bounds(), Some([3000.0, 0.0]));
    assert_ne!(layer, level("0-3000 m above ground"));
    assert_eq!(level("0.33-1 sigma layer").bounds(), Some([0.33, 1.0]));
    assert_eq!(level("261 K level - 256 K level").bounds(), Some([261.0, 256.0]));
    assert_eq!(level("soil level 1 - soil level 2").type_of_level(), "soilLayer");
    assert_eq!(level("850 mb").bounds(), None);
    let mixed = level("cloud base - 3000 m above ground");
    assert_eq!((mixed.first().code(), mixed.second().unwrap().code()), (2, 103));
    assert_eq!(mixed.bounds(), None);
    assert_eq!(mixed.to_string(), "cloud base - 3000 m above ground");
}

#[test]
fn equal_by_meaning() {
    assert_eq!(level("0.10-0.40 m below ground"), level("0.1-0.4 m below ground"));
    assert_eq!(level("10 mb - 20 mb"), level("10-20 mb"));
    // 850 hPa as a message codes it: 85000 Pa, or 850 with a scale factor of -2.
    for value in [Decimal::new(85000, 0), Decimal::new(850, 2)] {
        assert_eq!(Level::new(FixedSurface::new(100, Some(value)), None), level("850 mb"));
    }
    // Producers write any value where none is asked for, and 255 where there is no surface.
    let surface = FixedSurface::new(1, Some(Decimal::from(0)));
    let missing = FixedSurface::new(255, Some(Decimal::from(7)));
    assert_eq!(Level::new(surface, Some(missing)), level("surface"));
    assert_eq!(Level::new(missing, None), level("no_level"));
}

#[test]
fn without_words() {
    let odd = Level::new(FixedSurface::new(42, Some(Decimal::new(7, 0))), None);
    assert_eq!(odd.to_string(), "fixed surface 42=7");
    assert_eq!(level("fixed surface 42=7"), odd);
    assert_eq!((odd.type_of_level(), odd.value(), odd.units()), ("unknown", Some(7.0), "1"));
    // The number of a snow layer is not in wgrib2's words, but must not be lost.
    let snow = |number| FixedSurface::new(114, Some(Decimal::from(number)));
    let snow = Level::new(snow(1), Some(snow(2)));
    assert_eq!(snow.to_string(), "fixed surface 114=1 - fixed surface 114=2");
    assert_eq!((snow.type_of_level(), level(&snow.to_string())), ("snowLayer", snow));
}

#[test]
fn unknown_spellings() {
    for text in [
        "",
        " ",
        " - ",
        "reserved",
        "local level type 200 5",
        "2 m above the ground",
        "2  m above ground",
        "2-m above ground",
        "Surface",
        "surface ",
        "mb",
        "1-2-3 mb",
        "PV= (Km^2/kg/s) surface",
        "surface - ",
        "cloud base - cloud top - surface",
        "0-1 m above ground - surface",
        "fixed surface 255",
        "fixed surface 256",
        "99999999999999999999 mb",
    ] {
        assert_eq!(Level::from_wgrib2(text), None, "{text}");
        let error = text.parse::<Level>().unwrap_err().to_string();
        assert!(error.starts_with("malformed level") && error.contains(text), "{error}");
    }
}

fn decimals() -> impl Strategy<Value = Decimal> {
    (any::<i32>(), -12_i8..=12).prop_map(|(mantissa, exponent)| Decimal::new(mantissa, exponent))
}

fn surfaces() -> impl Strategy<Value = FixedSurface> {
    (any::<u8>(), proptest::option::of(decimals()))
        .prop_map(|(code, value)| FixedSurface::new(code, value))
}

fn levels() -> impl Strategy<Value = Level> {
    prop_oneof![
        (surfaces(), proptest::option::of(surfaces()))
            .prop_map(|(first, second)| Level::new(first, second)),
        // Layers of one type, which have spellings of their own.
        (any::<u8>(), decimals(), decimals()).prop_map(|(code, from, to)| {
            let surface = |value| FixedSurface::new(code, Some(value));
            Level::new(surface(from), Some(surface(to)))
        }),
    ]
}

proptest! {
    #[test]
    fn decimal_round_trip(number in decimals()) {
        prop_assert_eq!(number.to_string().parse::<Decimal>().unwrap(), number);
    }

    #[test]
    fn round_trip(wanted in levels()) {
        let text = wanted.to_string();
        prop_assert_eq!(Level::from_wgrib2(&text), Some(wanted), "{}", text);
    }

    #[test]
    fn spelling_round_trip(
        row in 0..SURFACES.len(),
        values in [-99_999_i32..100_000, -99_999..100_000],
        scales in [-8_i8..=2, -8..=2],
    ) {
        let [first, second] = [0, 1].map(|at| Decimal::new(values[at], scales[at]).to_string());
        let surface = &SURFACES[row];
        let mut texts = vec![surface.single.replace('#', &first)];
        if let Some(words) = surface.layer.strip_prefix("#-#") {
            texts.push(format!("{first}-{second}{words}"));
        }
        for text in texts {
            prop_assert_eq!(level(&text).to_string(), text);
        }
    }

    #[test]
    fn any_text(text in ".{0,60}") {
        if let Some(found) = Level::from_wgrib2(&text) {
            prop_assert_eq!(Level::from_wgrib2(&found.to_string()), Some(found));
        }
        let _ = text.parse::<Decimal>();
    }

    #[test]
    fn nearly_a_spelling(row in 0..SURFACES.len(), number in "[-+.0-9e]{0,12}", cut in 0_usize..60) {
        let text = SURFACES[row].single.replace('#', &number);
        let _ = Level::from_wgrib2(&text);
        if let Some(head) = text.get(..cut) {
            let _ = Level::from_wgrib2(head);
        }
    }
}
