//! Title and subtitle of a map, from what the field says of itself.

use gik_core::{StepUnit, WindowRule};

use super::header::SEPARATOR;
use crate::cf_time::TimeUnits;
use crate::{Coordinate, CoordinateValues, Field};

/// The variable in words.
pub(super) fn title(field: &Field) -> String {
    let text = field.text("long_name").or_else(|| field.text("GRIB_name"));
    let mut letters = text.unwrap_or_else(|| field.name()).chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The model, and what was selected: run, step, valid time, member, level.
pub(super) fn subtitle(field: &Field) -> String {
    let chosen = field.coordinates().iter().filter(|coordinate| coordinate.values.len() == 1);
    let mut parts: Vec<(u8, String)> =
        chosen.filter_map(|it| window(field, it).or_else(|| part(it))).collect();
    parts.sort_by_key(|(rank, _)| *rank);
    parts.dedup();
    let model = field.dataset_attributes().get("title").and_then(|it| it.as_str());
    let model = model.map(|title| (0, title.to_owned()));
    model.into_iter().chain(parts).map(|(_, text)| text).collect::<Vec<_>>().join(SEPARATOR)
}

/// The step of a field that extends over a window, as its beginning and end.
fn window(field: &Field, coordinate: &Coordinate) -> Option<(u8, String)> {
    let (_, rule) = WindowRule::of_attributes(field.attributes())?;
    if coordinate.name != "step" {
        return None;
    }
    let (unit, text) = match coordinate.text("units")? {
        "hours" => (StepUnit::Hours, "h"),
        "minutes" => (StepUnit::Minutes, "min"),
        _ => return None,
    };
    let CoordinateValues::Int64(values) = &coordinate.values else { return None };
    let step = u32::try_from(*values.first()?).ok()?;
    let start = rule.start(step, unit)?;
    Some((1, format!("T+{start} to T+{step} {text}")))
}

/// One selected coordinate in words, and its place in the subtitle.
fn part(coordinate: &Coordinate) -> Option<(u8, String)> {
    if is_geometry(coordinate) {
        return None;
    }
    let value = coordinate.values.get(0)?;
    let units = coordinate.text("units").unwrap_or_default();
    let time = TimeUnits::of(coordinate).and_then(|units| units.time(value));
    Some(match (coordinate.name.as_str(), time) {
        // In the layout of one run `time` is the valid time.
        (name, Some(time))
            if name == "valid_time" || coordinate.text("standard_name") == Some("time") =>
        {
            (2, format!("Valid {}", time.format("%a %-d %b %Y %H:%M UTC")))
        }
        (_, Some(time)) => (0, format!("Run {}", time.format("%-d %b %Y %H:%M UTC"))),
        ("step", None) => {
            let unit = match units {
                "minutes" => "min",
                _ => "h",
            };
            (1, format!("T+{value} {unit}"))
        }
        ("member" | "number", None) if value == 0.0 => (3, "Control".into()),
        ("member" | "number", None) => (3, format!("Member {value}")),
        (name, None) if units.is_empty() || units == "1" => (4, format!("{name} {value}")),
        (_, None) => (4, format!("{value} {units}")),
    })
}

/// Places, projections: not something that was chosen from several.
fn is_geometry(coordinate: &Coordinate) -> bool {
    coordinate.attributes.contains_key("grid_mapping_name")
        || ["latitude", "longitude", "x", "y"].contains(&coordinate.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selected_member_and_step() {
        let scalar = |name: &str, value: i64, units: &str| {
            Coordinate::scalar(name, CoordinateValues::Int64(vec![value]))
                .with_attribute("units", units)
        };
        let seconds = "seconds since 1970-01-01";
        let mut field = Field::new("tp", [("latitude", 1)], vec![0.0])
            .unwrap()
            .with_attribute("long_name", "total precipitation");
        for coordinate in [
            scalar("member", 3, "1"),
            scalar("step", 24, "hours"),
            scalar("valid_time", 1_736_208_000, seconds),
            scalar("time", 1_736_121_600, seconds),
            scalar("isobaricInhPa", 850, "hPa"),
            Coordinate::axis("latitude", CoordinateValues::Int64(vec![3])),
        ] {
            field = field.with_coordinate(coordinate).unwrap();
        }
        assert_eq!(title(&field), "Total precipitation");
        assert_eq!(
            subtitle(&field),
            "Run 6 Jan 2025 00:00 UTC  ·  T+24 h  ·  Valid Tue 7 Jan 2025 00:00 UTC  ·  Member 3  ·  850 hPa"
        );
    }

    #[test]
    fn a_bucket_says_when_it_begins() {
        let field = Field::new("tp", [("latitude", 1)], vec![0.0])
            .unwrap()
            .with_attribute(
                "cell_methods",
                "step: sum (comment: since the last multiple of 6 hours before the step)",
            )
            .with_coordinate(
                Coordinate::scalar("step", CoordinateValues::Int64(vec![24]))
                    .with_attribute("units", "hours"),
            )
            .unwrap();
        assert_eq!(subtitle(&field), "T+18 to T+24 h");
    }

    #[test]
    fn a_field_without_words() {
        let field = Field::new("t2m", [("x", 1)], vec![0.0]).unwrap();
        assert_eq!((title(&field), subtitle(&field)), ("T2m".into(), String::new()));
    }
}
