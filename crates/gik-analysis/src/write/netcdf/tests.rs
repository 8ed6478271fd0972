//! The bytes of a small file, and a reader of its own for a larger one.

use std::collections::BTreeMap;

use super::*;

fn bytes(field: &Field) -> Vec<u8> {
    let mut out = Vec::new();
    Plan::new(field).unwrap().write(&mut out).unwrap();
    out
}

#[test]
fn golden_bytes() {
    let field = Field::new("tp", [("x", 2)], vec![1.0, f32::NAN])
        .unwrap()
        .with_attribute("units", "m")
        .with_coordinate(Coordinate::axis("x", CoordinateValues::Int64(vec![7, -1])))
        .unwrap();
    let mut expected: Vec<u8> = Vec::new();
    let word = |out: &mut Vec<u8>, words: &[u32]| {
        out.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    };
    expected.extend(b"CDF\x02");
    word(&mut expected, &[0, 0x0A, 1, 1]);
    expected.extend(b"x\0\0\0");
    word(&mut expected, &[2, 0x0C, 1, 11]);
    expected.extend(b"Conventions\0");
    word(&mut expected, &[2, 7]);
    expected.extend(b"CF-1.10\0");
    word(&mut expected, &[0x0B, 2]);
    // x(x): no attributes, int, 8 bytes at 208
    word(&mut expected, &[1]);
    expected.extend(b"x\0\0\0");
    word(&mut expected, &[1, 0, 0, 0, 4, 8, 0, 208]);
    // tp(x): two attributes, float, 8 bytes at 216
    word(&mut expected, &[2]);
    expected.extend(b"tp\0\0");
    word(&mut expected, &[1, 0, 0x0C, 2, 5]);
    expected.extend(b"units\0\0\0");
    word(&mut expected, &[2, 1]);
    expected.extend(b"m\0\0\0");
    word(&mut expected, &[10]);
    expected.extend(b"_FillValue\0\0");
    word(&mut expected, &[5, 1, 0x7FC0_0000, 5, 8, 0, 216]);
    assert_eq!(expected.len(), 208);
    word(&mut expected, &[7, u32::MAX, 0x3F80_0000, 0x7FC0_0000]);
    assert_eq!(bytes(&field), expected);
}

/// A reader of the classic format, enough for what the writer writes.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

#[derive(Debug, PartialEq)]
struct Read {
    shape: Vec<usize>,
    kind: usize,
    attributes: BTreeMap<String, Vec<u8>>,
    values: Vec<f64>,
}

impl Reader<'_> {
    fn word(&mut self) -> usize {
        self.at += 4;
        u32::from_be_bytes(self.bytes[self.at - 4..self.at].try_into().unwrap()) as usize
    }

    fn padded(&mut self, length: usize) -> Vec<u8> {
        let bytes = self.bytes[self.at..self.at + length].to_vec();
        self.at += length.next_multiple_of(4);
        bytes
    }

    fn name(&mut self) -> String {
        let length = self.word();
        String::from_utf8(self.padded(length)).unwrap()
    }

    fn attributes(&mut self) -> BTreeMap<String, Vec<u8>> {
        let (tag, count) = (self.word(), self.word());
        assert_eq!(tag, if count == 0 { 0 } else { 0x0C });
        (0..count)
            .map(|_| {
                let name = self.name();
                let size = [0, 1, 1, 2, 4, 4, 8][self.word()];
                let count = self.word();
                (name, self.padded(size * count))
            })
            .collect()
    }

    fn file(mut self) -> (BTreeMap<String, Vec<u8>>, BTreeMap<String, Read>) {
        assert_eq!(&self.padded(8), b"CDF\x02\0\0\0\0");
        let (_, count) = (self.word(), self.word());
        let lengths: Vec<usize> = (0..count)
            .map(|_| {
                self.name();
                self.word()
            })
            .collect();
        let global = self.attributes();
        let (tag, count) = (self.word(), self.word());
        assert_eq!(tag, 0x0B);
        let mut variables = BTreeMap::new();
        for _ in 0..count {
            let name = self.name();
            let rank = self.word();
            let shape: Vec<usize> = (0..rank).map(|_| lengths[self.word()]).collect();
            let attributes = self.attributes();
            let (kind, size) = (self.word(), self.word());
            let begin = (self.word() << 32) + self.word();
            let data = &self.bytes[begin..begin + size];
            let values: Vec<f64> = match kind {
                4 => data
                    .chunks(4)
                    .map(|b| i32::from_be_bytes(b.try_into().unwrap()).into())
                    .collect(),
                5 => data
                    .chunks(4)
                    .map(|b| f32::from_be_bytes(b.try_into().unwrap()).into())
                    .collect(),
                6 => data.chunks(8).map(|b| f64::from_be_bytes(b.try_into().unwrap())).collect(),
                _ => panic!("type {kind}"),
            };
            assert_eq!(values.len(), shape.iter().product::<usize>(), "{name}");
            variables.insert(name, Read { shape, kind, attributes, values });
        }
        (global, variables)
    }
}

/// `tp(member, step, latitude, longitude)` of one time, with every kind of coordinate.
fn forecast() -> Field {
    let axis = |name: &str, values: &[f64]| {
        Coordinate::axis(name, CoordinateValues::Float64(values.to_vec()))
    };
    let time = |name: &str, dimensions: &[&str], values: &[i64]| {
        Coordinate {
            name: name.into(),
            dimensions: dimensions.iter().map(|&name| name.into()).collect(),
            values: CoordinateValues::Int64(values.to_vec()),
            attributes: Attributes::new(),
            bounds: None,
        }
        .with_attribute("units", "seconds since 1970-01-01")
        .with_attribute("calendar", "proleptic_gregorian")
    };
    let dimensions = [("member", 1), ("step", 2), ("latitude", 2), ("longitude", 3)];
    Field::new("tp", dimensions, (0_u8..12).map(f32::from).collect())
        .unwrap()
        .with_attribute("units", "kg m-2")
        .with_attribute("GRIB_paramId", 228_228)
        .with_attribute("_FillValue", "NaN")
        .with_attribute("coordinates", "elsewhere")
        .with_attribute("grid_mapping", "crs")
        .with_coordinate(Coordinate::axis("member", CoordinateValues::Int64(vec![3])))
        .and_then(|f| {
            f.with_coordinate(
                Coordinate::axis("step", CoordinateValues::Int64(vec![12, 24]))
                    .with_attribute("units", "hours"),
            )
        })
        .and_then(|f| {
            f.with_coordinate(
                axis("latitude", &[0.25, 0.0]).with_attribute("units", "degrees_north"),
            )
        })
        .and_then(|f| f.with_coordinate(axis("longitude", &[36.0, 36.25, 36.5])))
        .and_then(|f| f.with_coordinate(time("time", &[], &[1_736_121_600])))
        .and_then(|f| {
            f.with_coordinate(time("valid_time", &["step"], &[1_736_164_800, 1_736_208_000]))
        })
        .and_then(|f| {
            f.with_coordinate(
                Coordinate::scalar("crs", CoordinateValues::Int64(vec![0]))
                    .with_attribute("earth_radius", 6_371_229.0),
            )
        })
        .unwrap()
}

#[test]
fn reads_back() {
    let file = bytes(&forecast());
    let (global, variables) = Reader { bytes: &file, at: 0 }.file();
    assert_eq!(global["Conventions"], b"CF-1.10");
    let tp = &variables["tp"];
    assert_eq!((tp.kind, &tp.shape[..]), (5, &[1, 2, 2, 3][..]));
    assert_eq!(tp.values, (0..12).map(f64::from).collect::<Vec<_>>());
    assert_eq!(tp.attributes["coordinates"], b"time valid_time");
    assert_eq!(tp.attributes["GRIB_paramId"], 228_228_i32.to_be_bytes());
    assert_eq!(tp.attributes["_FillValue"], f32::NAN.to_be_bytes());
    assert_eq!(tp.attributes.len(), 5, "{:?}", tp.attributes.keys());
    let time = &variables["time"];
    assert_eq!(
        (time.kind, &time.shape[..], &time.values[..]),
        (6, &[][..], &[1_736_121_600.0][..])
    );
    assert_eq!((variables["valid_time"].kind, variables["valid_time"].shape.len()), (6, 1));
    assert_eq!((variables["step"].kind, &variables["step"].values[..]), (4, &[12.0, 24.0][..]));
    assert_eq!(variables["latitude"].values, [0.25, 0.0]);
    assert_eq!(variables["latitude"].attributes["units"], b"degrees_north");
    assert_eq!(variables["crs"].attributes["earth_radius"], 6_371_229_f64.to_be_bytes());
}

#[test]
fn what_the_format_cannot_hold() {
    let error = |field: Field| Plan::new(&field).err().unwrap().to_string();
    let named = |name: &str| Field::new(name, [("x", 1)], vec![0.0]).unwrap();
    for name in ["a/b", "", " a", "a ", "a\nb"] {
        assert!(error(named(name)).contains("name in a NetCDF file"), "{name}");
    }
    assert!(error(Field::new("a", [("x", 0)], vec![]).unwrap()).contains("0 of 'x'"));
    let far = Coordinate::scalar("far", CoordinateValues::Int64(vec![i64::MAX]));
    assert!(error(named("a").with_coordinate(far).unwrap()).contains("9223372036854775807 in"));
    let wide = Coordinate::scalar("wide", CoordinateValues::Int64(vec![1 << 40]));
    let file = bytes(&named("a").with_coordinate(wide).unwrap());
    assert_eq!(Reader { bytes: &file, at: 0 }.file().1["wide"].values, [1_099_511_627_776.0]);
}

#[test]
fn a_variable_beyond_4_gib_is_refused_before_anything_is_written() {
    // The check is on the shape, so no such field has to exist.
    let field = Field::new("a", [("x", 1)], vec![0.0]).unwrap();
    let huge = Field::new("b", [("x", 1 << 30), ("y", 0)], vec![]).unwrap();
    let error = variable(&Outline::of_field(&huge), "b", &["x".into()], vec![], Data::Float(&[]))
        .err()
        .unwrap();
    assert!(error.to_string().contains("more than the limit of 4294967292"), "{error}");
    assert!(
        variable(&Outline::of_field(&field), "a", &["x".into()], vec![], Data::Float(&[])).is_ok()
    );
}
