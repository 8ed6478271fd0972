//! Damaged messages: an answer or an error, soon, and without much memory.

use std::time::{Duration, Instant};

use gik_codec::{GRIBBERISH, GridDefinition, Message};
use gik_core::{DecodeOptions, ErrorKind, GribCodec, Quantity, Result, ValueBuffer};

use crate::allocations::peak;
use crate::fixtures::{GENERATED, decode, message};

/// What decoding may allocate whatever the message's size is: an image decoder's tables
/// and windows.
const FIXED: usize = 256 << 10;
/// Beyond that, in multiples of the message and the chunk.
const MULTIPLE: usize = 8;

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
    name: &'static str,
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
    fn new(name: &'static str) -> Self {
        let file = message(name);
        let read = Message::read(&file).unwrap();
        let bytes = file[..usize::try_from(read.total_length()).unwrap()].to_vec();
        let field = read.only_field().unwrap();
        let grid = GridDefinition::read(&field.grid).unwrap();
        let shape = grid.shape.unwrap();
        let at = |offset: u64| usize::try_from(offset).unwrap();
        let sections = [
            field.identification,
            field.grid,
            field.product,
            field.representation,
            field.bitmap,
            field.data,
        ];
        let mut edges: Vec<_> = sections.iter().map(|section| at(section.offset)).collect();
        edges.extend([0, 1, 4, 8, bytes.len() - 4, bytes.len() - 1]);
        Self {
            name,
            out: vec![0.0; grid.points as usize],
            axes: (grid.template == 0).then_some((shape.columns as usize, shape.rows as usize)),
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
        let (name, elapsed) = (self.name, start.elapsed());
        assert!(elapsed < Duration::from_secs(1), "{name}, {what}: {elapsed:?}");
        let limit = FIXED + MULTIPLE * (damaged.len() + size_of::<f32>() * elements);
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

    /// A few values for each byte before the data.
    fn headers_edited(&mut self, numbers: &mut Numbers) {
        for position in 0..self.data + 5 {
            // Of a bitmap only some bytes.
            if (self.bitmap + 16..self.data).contains(&position) && !position.is_multiple_of(97) {
                continue;
            }
            let byte = self.bytes[position];
            let in_grid = (self.grid..self.product).contains(&position);
            for value in [0, 1, 0x7f, 0x80, 0xff, byte ^ 1, byte ^ 0x80, numbers.byte()] {
                let mut damaged = self.bytes.clone();
                damaged[position] = value;
                let what = format!("byte {position} is {value:#04x}");
                // No claim on the result: many of these bytes mean nothing for the values.
                let _ = self.decode(&damaged, &DecodeOptions::default(), &what);
                if in_grid && self.axes.is_some() {
                    for quantity in [Quantity::Data, Quantity::Latitude, Quantity::Longitude] {
                        let options = DecodeOptions {
                            quantity,
                            adjust_longitude_range: true,
                            north_up: true,
                        };
                        let _ = self.decode(&damaged, &options, &what);
                    }
                }
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
        let mut victim = Victim::new(name);
        victim.truncated();
        victim.headers_edited(&mut numbers);
        victim.data_edited(&mut numbers, 400);
        victim.data_shortened();
    }
}

#[test]
fn operational_messages_damaged() {
    let mut numbers = Numbers(2);
    for (name, rounds) in [("gefs_soilw", 40), ("gfswave_jpeg2000", 60)] {
        let mut victim = Victim::new(name);
        victim.data_edited(&mut numbers, rounds);
        victim.data_shortened();
    }
    Victim::new("gfs_constant").truncated();
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
