//! Levels against ecCodes' answers.

use gik_core::{Decimal, FixedSurface, Level};

#[test]
fn agree_with_eccodes() {
    let table = include_str!("../fixtures/levels.tsv");
    let mut rows = 0;
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        let [spelling, name, first, first_value, second, second_value, answer] = cells[..] else {
            panic!("{row}")
        };
        let level: Level = spelling.parse().unwrap();
        assert_eq!(level.type_of_level(), name, "{row}");
        let surface = |code: &str, value: &str| {
            let value = (!value.is_empty()).then(|| value.parse::<Decimal>().unwrap());
            (!code.is_empty()).then(|| FixedSurface::new(code.parse().unwrap(), value))
        };
        let coded = Level::new(surface(first, first_value).unwrap(), surface(second, second_value));
        assert_eq!(level, coded, "{row}");
        assert_eq!(coded.to_string(), spelling);
        let answer: f64 = answer.parse().unwrap();
        // ecCodes reads the sign bit of negative potential vorticity as part of the number.
        if answer < 2e9 {
            assert_eq!(level.value().unwrap_or(0.0), answer, "{row}");
        } else {
            assert!(level.value().unwrap() < 0.0 && spelling.starts_with("PV=-"), "{row}");
        }
        rows += 1;
    }
    assert_eq!(rows, 134);
}
