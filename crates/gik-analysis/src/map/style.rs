//! In which units and colours people expect a variable.

use crate::Field;

use super::palette::Palette;

/// How the values of a field are shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Style {
    /// Shown value = `factor` × value + `offset`.
    pub(super) factor: f64,
    /// See `factor`.
    pub(super) offset: f64,
    /// Of the shown values.
    pub(super) units: String,
    /// Their colours.
    pub(super) palette: Palette,
}

/// What a conversion applies to, beside its units.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Quantity {
    Any,
    Rain,
}

/// Units in the store, quantity, factor, offset, units on the map, palette.
type Rule = (&'static str, Quantity, f64, f64, &'static str, fn() -> Palette);

const RULES: [Rule; 7] = [
    ("kg m-2", Quantity::Rain, 1.0, 0.0, "mm", Palette::rainfall),
    ("kg m**-2", Quantity::Rain, 1.0, 0.0, "mm", Palette::rainfall),
    ("mm", Quantity::Rain, 1.0, 0.0, "mm", Palette::rainfall),
    ("m", Quantity::Rain, 1000.0, 0.0, "mm", Palette::rainfall),
    ("K", Quantity::Any, 1.0, -273.15, "°C", Palette::temperature),
    ("degC", Quantity::Any, 1.0, 0.0, "°C", Palette::temperature),
    ("Pa", Quantity::Any, 0.01, 0.0, "hPa", Palette::sequential),
];

impl Style {
    /// Probabilities, as they are.
    pub(super) fn probability() -> Self {
        Self { factor: 1.0, offset: 0.0, units: "%".into(), palette: Palette::probability() }
    }

    /// The style of a field: by its units, and whether it is rain.
    pub(super) fn of(field: &Field) -> Self {
        let units = field.text("units").unwrap_or_default();
        let is_rain = is_rain(field);
        let rule =
            RULES.iter().find(|rule| rule.0 == units && (rule.1 == Quantity::Any || is_rain));
        match rule {
            Some(&(_, _, factor, offset, shown, palette)) => {
                Self { factor, offset, units: shown.into(), palette: palette() }
            }
            None => Self {
                factor: 1.0,
                offset: 0.0,
                units: typeset(units),
                palette: Palette::sequential(),
            },
        }
    }
}

/// Amounts of rain or of all precipitation (not rates, whose units differ).
fn is_rain(field: &Field) -> bool {
    ["standard_name", "long_name"].iter().filter_map(|attribute| field.text(attribute)).any(
        |text| {
            let text = text.to_lowercase();
            ["precipitation", "rainfall"].iter().any(|word| text.contains(word))
                && !text.contains("probability")
        },
    )
}

/// `m s-1` and `m s**-1` as `m s⁻¹`.
fn typeset(units: &str) -> String {
    let words = units.split(' ').map(|word| {
        let word = word.replace("**", "");
        let base = word.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
        let exponent = word.get(base.len()..).unwrap_or_default();
        if base.is_empty() || !base.chars().all(char::is_alphabetic) {
            return word;
        }
        format!("{base}{}", superscript(exponent))
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Digits and minus signs, raised.
pub(super) fn superscript(digits: &str) -> String {
    digits
        .chars()
        .map(|c| match c {
            '-' => '⁻',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            '0' => '⁰',
            '4' => '⁴',
            '5' => '⁵',
            '6' => '⁶',
            '7' => '⁷',
            '8' => '⁸',
            '9' => '⁹',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(units: &str, long_name: &str) -> Style {
        let field = Field::new("x", [("x", 1)], vec![0.0]).unwrap();
        Style::of(&field.with_attribute("units", units).with_attribute("long_name", long_name))
    }

    #[test]
    fn units_people_expect() {
        let ecmwf = style("m", "Total precipitation");
        assert_eq!((ecmwf.factor, ecmwf.units.as_str()), (1000.0, "mm"));
        assert_eq!(ecmwf.palette, Palette::rainfall());
        assert_eq!(style("kg m-2", "Total Precipitation").palette, Palette::rainfall());
        assert_eq!(style("kg m-2", "Total column water").palette, Palette::sequential());
        let warm = style("K", "2 metre temperature");
        assert_eq!((warm.offset, warm.units.as_str()), (-273.15, "°C"));
        assert_eq!(style("Pa", "Surface pressure").factor, 0.01);
        assert_eq!(style("m", "Snow depth").factor, 1.0);
    }

    #[test]
    fn exponents_are_raised() {
        for (units, expected) in [
            ("m s-1", "m s⁻¹"),
            ("kg m**-2 s**-1", "kg m⁻² s⁻¹"),
            ("W m-2", "W m⁻²"),
            ("m2", "m²"),
            ("%", "%"),
            ("1", "1"),
            ("(0 - 1)", "(0 - 1)"),
            ("", ""),
        ] {
            assert_eq!(typeset(units), expected);
        }
    }
}
