//! Damaged messages: an answer or an error, soon, and without much memory.

use std::time::{Duration, Instant};

use gik_codec::{GRIBBERISH, GridDefinition, Message};
use gik_core::{DecodeOptions, ErrorKind, GribCodec, Quantity, Result, ValueBuffer};
use proptest::prelude::*;

use crate::allocations::peak;
use crate::fixtures::{GENERATED, MATRIX, bytes, decode, matrix, message};

/// What decoding may allocate beyond twice the chunk and the message, whatever their size:
/// the state of an inflating PNG decoder, which is its window of 32 KiB and tables of codes
/// (44 KB measured). Next are coordinates, of which both kinds are computed in double
/// precision to take one (27 KB for a global grid of a quarter degree), and what the
/// runtime takes for a panic that is contained (20 KB).
const FIXED: usize = 48 << 10;

/// A generator of numbers that are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.next(256)).unwrap()
    }
}

/// A message, and where its parts are.
struct Victim {
    name: String,
    bytes: Vec<u8>,
    out: Vec<f32>,
    /// Points of a row and of a column, for grids whose coordinates are those.
    axes: Option<(usize, usize)>,
    grid: usize,
    product: usize,
    bitmap: usize,
    data: usize,
    edges: Vec<usize>,
}

impl Victim {
    fn new(name: &str, file: &[u8]) -> Self {
        let read = Message::read(file).unwrap();
        let bytes = file[..usize::try_from(read.total_length()).unwrap()].to_vec();
        let field = read.fields().next().unwrap().unwrap();
        let grid = GridDefinition::read(&field.grid).unwrap();
        let at = |offset: u64| usize::try_from(offset).unwrap();
        let mut edges = Vec::new();
        for field in read.fields() {
            let field = field.unwrap();
            let sections = [
                field.identification,
                field.grid,
                field.product,
                field.representation,
                field.bitmap,
                field.data,
            ];
            edges.extend(sections.iter().map(|section| at(section.offset)));
            // The heads of sections, too.
            edges.extend(sections.iter().map(|section| at(section.offset) + 5));
        }
        edges.extend([0, 1, 4, 8, bytes.len() - 4, bytes.len() - 1]);
        let axes = grid.shape.filter(|_| grid.template == 0);
        Self {
            name: name.to_owned(),
            out: vec![0.0; grid.points as usize],
            axes: axes.map(|shape| (shape.columns as usize, shape.rows as usize)),
            grid: at(field.grid.offset),
            product: at(field.product.offset),
            bitmap: at(field.bitmap.offset),
            data: at(field.data.offset),
            bytes,
            edges,
        }
    }

    /// Decodes damaged bytes; `what` says how they are.
    fn decode(&mut self, damaged: &[u8], options: &DecodeOptions, what: &str) -> Result<()> {
        let elements = match (options.quantity, self.axes) {
            (Quantity::Longitude, Some((columns, _))) => columns,
            (Quantity::Latitude, Some((_, rows))) => rows,
            _ => self.out.len(),
        };
        let out = &mut self.out[..elements];
        let start = Instant::now();
        let (result, allocated) =
            peak(|| GRIBBERISH.decode_into(damaged, options, ValueBuffer::F32(out)));
        let (name, elapsed) = (&self.name, start.elapsed());
        assert!(elapsed < Duration::from_secs(1), "{name}, {what}: {elapsed:?}");
        let limit = FIXED + damaged.len() + 2 * size_of::<f32>() * elements;
        assert!(allocated <= limit, "{name}, {what}: {allocated} bytes, more than {limit}");
        result
    }

    fn truncated(&mut self) {
        let mut lengths: Vec<_> = (0..self.bytes.len()).step_by(37).collect();
        lengths.extend(&self.edges);
        for length in lengths {
            let mut short = self.bytes[..length].to_vec();
            let options = DecodeOptions::default();
            let what = format!("cut to {length}");
            assert!(self.decode(&short, &options, &what).is_err(), "{}, {what}", self.name);
            // The same with a total length that does not give it away.
            if length >= 16 {
                short[8..16].copy_from_slice(&(length as u64).to_be_bytes());
                let error = self.decode(&short, &options, &what);
                assert!(error.is_err(), "{}, {what}, consistent", self.name);
            }
        }
    }

    /// `values` bytes in the place of each one before the data; of a bitmap only of some.
    fn headers_edited(&mut self, numbers: &mut Numbers, values: usize) {
        for position in 0..self.data + 5 {
            if (self.bitmap + 16..self.data).contains(&position) && !position.is_multiple_of(97) {
                continue;
            }
            let byte = self.bytes[position];
            let in_grid = (self.grid..self.product).contains(&position);
            let all = [numbers.byte(), byte ^ 1, 0xff, 0, byte ^ 0x80, 1, 0x7f, 0x80];
            for &value in &all[..values] {
                let mut damaged = self.bytes.clone();
                damaged[position] = value;
                let what = format!("byte {position} is {value:#04x}");
                self.survive(&damaged, in_grid, &what);
            }
        }
    }

    /// Several bytes before the data, next to each other or apart.
    fn headers_garbled(&mut self, numbers: &mut Numbers, rounds: usize) {
        let length = self.data + 5;
        for round in 0..rounds {
            let mut damaged = self.bytes.clone();
            let start = numbers.next(length);
            for step in 0..2 + numbers.next(7) {
                let position = match round % 2 {
                    0 => (start + step).min(length - 1),
                    _ => numbers.next(length),
                };
                damaged[position] = numbers.byte();
            }
            self.survive(&damaged, round % 4 == 0, &format!("round {round} of the headers"));
        }
    }

    /// Makes no claim on the result: many bytes mean nothing for the values.
    fn survive(&mut self, damaged: &[u8], coordinates: bool, what: &str) {
        let _ = self.decode(damaged, &DecodeOptions::default(), what);
        if coordinates && self.axes.is_some() {
            for quantity in [Quantity::Data, Quantity::Latitude, Quantity::Longitude] {
                let options = DecodeOptions {
                    quantity,
                    adjust_longitude_range: true,
                    north_up: true,
                    steps: None,
                };
                let _ = self.decode(damaged, &options, what);
            }
        }
    }

    fn data_edited(&mut self, numbers: &mut Numbers, rounds: usize) {
        let start = self.data + 5;
        let length = self.bytes.len() - 4 - start;
        if length == 0 {
            return;
        }
        for round in 0..rounds {
            let mut damaged = self.bytes.clone();
            for _ in 0..=numbers.next(4) {
                damaged[start + numbers.next(length)] = numbers.byte();
            }
            let what = format!("round {round} of section 7");
            let _ = self.decode(&damaged, &DecodeOptions::default(), &what);
        }
    }

    /// Nothing of section 7 is left.
    fn data_random(&mut self, numbers: &mut Numbers, rounds: usize) {
        let range = self.data + 5..self.bytes.len() - 4;
        for round in 0..rounds {
            let mut damaged = self.bytes.clone();
            // Few ones make the long runs of unary numbers.
            let mask = [0xff, 0x11, 0x01][round % 3];
            damaged[range.clone()].iter_mut().for_each(|byte| *byte = numbers.byte() & mask);
            let what = format!("round {round} of random data");
            let _ = self.decode(&damaged, &DecodeOptions::default(), &what);
        }
    }

    /// Section 7 shorter, and all lengths telling the same.
    fn data_shortened(&mut self) {
        let length = self.bytes.len() - 4 - (self.data + 5);
        for cut in (1..=length).step_by(length.div_ceil(40).max(1)) {
            let mut short = self.bytes[..self.bytes.len() - 4 - cut].to_vec();
            let section = u32::try_from(short.len() - self.data).unwrap();
            short[self.data..self.data + 4].copy_from_slice(&section.to_be_bytes());
            short.extend(b"7777");
            let total = short.len() as u64;
            short[8..16].copy_from_slice(&total.to_be_bytes());
            let what = format!("{cut} bytes shorter");
            let result = self.decode(&short, &DecodeOptions::default(), &what);
            // Images end with checksums and markers, and may be padded before.
            if cut > 12 {
                assert!(result.is_err(), "{}, {what}", self.name);
            }
        }
    }
}

#[test]
fn generated_messages_damaged() {
    let mut numbers = Numbers(1);
    for name in GENERATED {
        let mut victim = Victim::new(name, &message(name));
        victim.truncated();
        victim.headers_edited(&mut numbers, 8);
        victim.headers_garbled(&mut numbers, 1000);
        victim.data_edited(&mut numbers, 400);
        victim.data_random(&mut numbers, 100);
        victim.data_shortened();
    }
}

#[test]
fn the_matrix_damaged() {
    let mut numbers = Numbers(3);
    for file in MATRIX {
        for (number, case) in matrix(file).iter().enumerate() {
            let mut victim = Victim::new(&case.name, &case.bytes);
            victim.truncated();
            // All headers differ only in sections 3 and 5: the others have been tried.
            victim.headers_edited(&mut numbers, if number % 20 == 0 { 4 } else { 1 });
            victim.headers_garbled(&mut numbers, 60);
            victim.data_edited(&mut numbers, 60);
            victim.data_random(&mut numbers, 15);
        }
    }
}

#[test]
fn operational_messages_damaged() {
    let mut numbers = Numbers(2);
    // HRRR's grid has two million points, and a case takes milliseconds.
    for (name, values, rounds) in [
        ("gefs_soilw", 2, 40),
        ("gfswave_jpeg2000", 2, 60),
        ("gfs_constant", 1, 60),
        ("s2s_ten_messages", 8, 500),
        ("submessages", 8, 500),
        ("hrrr_constant", 0, 20),
    ] {
        let mut victim = Victim::new(name, &message(name));
        victim.truncated();
        victim.headers_edited(&mut numbers, values);
        victim.headers_garbled(&mut numbers, rounds);
        victim.data_edited(&mut numbers, rounds);
        victim.data_random(&mut numbers, rounds / 4);
        if name != "submessages" {
            victim.data_shortened();
        }
    }
}

#[test]
fn coordinates_of_a_projected_grid_within_the_limit() {
    // 1799 × 1059 points in 188 bytes.
    let mut victim = Victim::new("hrrr_constant", &message("hrrr_constant"));
    let bytes = victim.bytes.clone();
    for quantity in [Quantity::Latitude, Quantity::Longitude] {
        let options = DecodeOptions { quantity, ..DecodeOptions::default() };
        victim.decode(&bytes, &options, "whole").unwrap();
    }
}

#[test]
fn edition_1_damaged() {
    let mut numbers = Numbers(4);
    let files = bytes("edition1/edition1.grib1");
    let table = String::from_utf8(bytes("edition1/edition1.txt")).unwrap();
    let mut out = vec![0.0_f32; 63];
    let mut check = |damaged: &[u8]| {
        let out = ValueBuffer::F32(&mut out);
        let start = Instant::now();
        let (result, allocated) =
            peak(|| GRIBBERISH.decode_into(damaged, &DecodeOptions::default(), out));
        assert!(start.elapsed() < Duration::from_secs(1));
        assert!(allocated <= 4096 + 2 * 4 * 63 + damaged.len(), "{allocated}");
        result
    };
    for line in table.lines() {
        let columns: Vec<_> = line.splitn(3, ' ').collect();
        let [start, length, _] = columns.try_into().unwrap();
        let start: usize = start.parse().unwrap();
        let message = &files[start..start + length.parse::<usize>().unwrap()];
        for length in 0..message.len() {
            let mut short = message[..length].to_vec();
            assert!(check(&short).is_err());
            if length >= 8 {
                short[4..7].copy_from_slice(&u32::try_from(length).unwrap().to_be_bytes()[1..]);
                assert!(check(&short).is_err());
            }
        }
        for _ in 0..2000 {
            let mut damaged = message.to_vec();
            for _ in 0..=numbers.next(4) {
                damaged[numbers.next(message.len())] = numbers.byte();
            }
            // Many of these octets mean nothing for the values.
            let _ = check(&damaged);
        }
    }
}

#[test]
fn the_other_axis_of_a_grid_costs_nothing() {
    for (octet, quantity, wanted) in [(31, Quantity::Latitude, 2), (35, Quantity::Longitude, 12)] {
        let mut message = message("simple_zero_bits");
        let field = Message::read(&message).unwrap().only_field().unwrap();
        let grid = usize::try_from(field.grid.offset).unwrap();
        let [columns, rows] = if octet == 31 { [30_000_000_u32, 2] } else { [12, 20_000_000] };
        message[grid + 6..grid + 10].copy_from_slice(&(columns * rows).to_be_bytes());
        message[grid + 30..grid + 34].copy_from_slice(&columns.to_be_bytes());
        message[grid + 34..grid + 38].copy_from_slice(&rows.to_be_bytes());
        let options =
            DecodeOptions { quantity, adjust_longitude_range: true, north_up: true, steps: None };
        let mut out = vec![0.0_f32; wanted];
        let (result, allocated) =
            peak(|| GRIBBERISH.decode_into(&message, &options, ValueBuffer::F32(&mut out)));
        result.unwrap();
        assert!(allocated < 4096, "{allocated}");
    }
}

/// Section 5 of any template with any parameters, likely ones among them.
fn section5() -> impl Strategy<Value = Vec<u8>> {
    let template = prop_oneof![
        9 => prop::sample::select(vec![0_u16, 2, 3, 4, 40, 41, 42]),
        1 => any::<u16>(),
    ];
    let small = || prop_oneof![4 => 0_u8..=33, 1 => any::<u8>()];
    let groups = prop_oneof![3 => 0_u32..40, 1 => any::<u32>()];
    let scaling = prop::array::uniform8(any::<u8>());
    let rest = prop::collection::vec(small(), 0..8);
    let values = prop_oneof![9 => Just(96_u32), 1 => any::<u32>()];
    (values, template, scaling, small(), 0_u8..4, groups, rest, prop::array::uniform10(small()))
        .prop_map(|(values, template, scaling, bits, management, groups, rest, numbers)| {
            let mut octets = values.to_be_bytes().to_vec();
            octets.extend(template.to_be_bytes());
            octets.extend(scaling);
            octets.push(bits);
            match template {
                2 | 3 => {
                    octets.extend([0, 1, management, 0, 0, 0, 0, 0, 0, 0, 0]);
                    octets.extend(groups.to_be_bytes());
                    octets.extend([numbers[0], numbers[1], 0, 0, 0, numbers[2], numbers[3]]);
                    octets.extend([0, 0, 0, numbers[4], numbers[5], numbers[6] % 4, numbers[7]]);
                }
                42 => octets.extend([0, numbers[0], 8 << (numbers[1] % 5), 0, numbers[2]]),
                _ => octets.extend(&numbers),
            }
            octets.extend(rest);
            octets
        })
}

/// `simple` with another section 5, bitmap and data.
fn built(section5: &[u8], bitmap: Option<&[u8]>, data: &[u8]) -> Vec<u8> {
    let simple = message("simple");
    let field = Message::read(&simple).unwrap().only_field().unwrap();
    let start = usize::try_from(field.representation.offset).unwrap();
    let mut message = simple[..start].to_vec();
    let mut section = |number: u8, parts: &[&[u8]]| {
        let length = 5 + parts.iter().map(|part| part.len()).sum::<usize>();
        message.extend(u32::try_from(length).unwrap().to_be_bytes());
        message.push(number);
        parts.iter().for_each(|part| message.extend(*part));
    };
    section(5, &[section5]);
    match bitmap {
        Some(bits) => section(6, &[&[0], bits]),
        None => section(6, &[&[255]]),
    }
    section(7, &[data]);
    message.extend(b"7777");
    let total = message.len() as u64;
    message[8..16].copy_from_slice(&total.to_be_bytes());
    message
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn sections_with_any_parameters(
        section5 in section5(),
        bitmap in prop::option::weighted(0.3, prop::collection::vec(any::<u8>(), 12)),
        data in prop::collection::vec(prop_oneof![any::<u8>(), 0_u8..4], 0..600),
    ) {
        let mut section5 = section5;
        if let Some(bits) = &bitmap {
            let ones: u32 = bits.iter().map(|byte| byte.count_ones()).sum();
            section5[..4].copy_from_slice(&ones.to_be_bytes());
        }
        let message = built(&section5, bitmap.as_deref(), &data);
        let mut victim = Victim::new("built", &message);
        let decoded = victim.decode(&message, &DecodeOptions::default(), "as built");
        if decoded.is_ok() {
            // Both precisions take the same way.
            let doubles = decode(&message, 96).unwrap();
            for (single, double) in victim.out.iter().zip(doubles) {
                let rounded = double as f32;
                prop_assert!(single.to_bits() == rounded.to_bits() || double.is_nan());
            }
        }
    }
}

#[test]
fn a_codestream_without_end_does_not_wait_for_one() {
    let whole = message("jpeg2000");
    let start = whole.windows(4).position(|octets| octets == [0xff, 0x90, 0, 10]).unwrap();
    let end = whole.len() - 4;
    assert_eq!(whole[end - 2..end], [0xff, 0xd9]);
    // A tile-part of length 0 goes to the end of the codestream.
    let mut open = whole.clone();
    open[start + 6..start + 10].fill(0);
    let expected = decode(&whole, 96).unwrap();
    assert_eq!(decode(&open, 96).unwrap(), expected);
    open[end - 1] = 0xd8;
    let error = decode(&open, 96).unwrap_err().to_string();
    assert!(error.contains("expected EOC at the end, found none"), "{error}");
    // No codestream at all.
    let field = Message::read(&whole).unwrap().only_field().unwrap();
    let data = usize::try_from(field.data.offset).unwrap();
    let mut empty = [&whole[..data], &[0, 0, 0, 5, 7], b"7777"].concat();
    let total = empty.len() as u64;
    empty[8..16].copy_from_slice(&total.to_be_bytes());
    let error = decode(&empty, 96).unwrap_err().to_string();
    assert_eq!(error, "truncated: 2 bytes needed, 0 there [at byte 177]");
}

#[test]
fn an_enormous_grid_is_not_allocated() {
    // A constant field of 4 294 967 294 points in 179 bytes.
    let mut message = message("simple_zero_bits");
    let field = Message::read(&message).unwrap().only_field().unwrap();
    let grid = usize::try_from(field.grid.offset).unwrap();
    let section5 = usize::try_from(field.representation.offset).unwrap();
    let points = 0xffff_fffe_u32.to_be_bytes();
    message[grid + 6..grid + 10].copy_from_slice(&points);
    message[grid + 30..grid + 34].copy_from_slice(&(0x7fff_ffff_u32).to_be_bytes());
    message[grid + 34..grid + 38].copy_from_slice(&2_u32.to_be_bytes());
    message[section5 + 5..section5 + 9].copy_from_slice(&points);
    for quantity in [Quantity::Data, Quantity::Latitude, Quantity::Longitude] {
        let options = DecodeOptions { quantity, ..DecodeOptions::default() };
        let mut out = [0.0_f64; 96];
        let (result, allocated) =
            peak(|| GRIBBERISH.decode_into(&message, &options, ValueBuffer::F64(&mut out)));
        let error = result.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Mismatch { .. }), "{error}");
        assert!(allocated < 4096, "{allocated}");
    }
}
