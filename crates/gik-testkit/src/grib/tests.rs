//! Messages read back by a reader written for clarity, not taken from the encoder.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "numbers of small messages, and a wrong one fails the test"
)]

use gik_core::ReferenceTime;

use super::*;

/// What the naive reader found.
struct Read {
    sections: Vec<(u8, Vec<u8>)>,
    values: Vec<f64>,
}

impl Read {
    fn section(&self, number: u8) -> &[u8] {
        &self.sections.iter().find(|(n, _)| *n == number).unwrap().1
    }
}

fn uint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn int(bytes: &[u8]) -> i64 {
    let sign = 1_u64 << (bytes.len() * 8 - 1);
    let all = uint(bytes);
    if all & sign == 0 { all as i64 } else { -((all & (sign - 1)) as i64) }
}

/// One bit at a time.
struct Bits<'a>(&'a [u8], usize);

impl Bits<'_> {
    fn take(&mut self, count: u64) -> u64 {
        (0..count).fold(0, |sum, _| {
            let bit = self.0[self.1 / 8] >> (7 - self.1 % 8) & 1;
            self.1 += 1;
            sum << 1 | u64::from(bit)
        })
    }

    fn align(&mut self) {
        self.1 = self.1.next_multiple_of(8);
    }
}

fn read(bytes: &[u8]) -> Read {
    assert_eq!(&bytes[..4], b"GRIB");
    assert_eq!(bytes[7], 2, "edition");
    assert_eq!(uint(&bytes[8..16]) as usize, bytes.len(), "total length");
    assert_eq!(&bytes[bytes.len() - 4..], b"7777");
    let mut sections = Vec::new();
    let mut at = 16;
    while at < bytes.len() - 4 {
        let length = uint(&bytes[at..at + 4]) as usize;
        sections.push((bytes[at + 4], bytes[at..at + length].to_vec()));
        at += length;
    }
    assert_eq!(at, bytes.len() - 4, "sections fill the message");
    let order: Vec<u8> = sections.iter().map(|(number, _)| *number).collect();
    assert_eq!(order, [1, 3, 4, 5, 6, 7]);
    let mut read = Read { sections, values: Vec::new() };

    let five = read.section(5);
    let count = uint(&five[5..9]) as usize;
    let reference = f64::from(f32::from_bits(uint(&five[11..15]) as u32));
    let (binary, decimal) = (int(&five[15..17]) as i32, int(&five[17..19]) as i32);
    let integers = match uint(&five[9..11]) {
        0 => {
            let mut bits = Bits(&read.section(7)[5..], 0);
            (0..count).map(|_| bits.take(u64::from(five[19])) as i64).collect()
        }
        3 => read_complex(five, &read.section(7)[5..], count),
        other => panic!("template 5.{other}"),
    };
    let mut values = integers
        .iter()
        .map(|&x| (x as f64 * 2_f64.powi(binary) + reference) * 10_f64.powi(-decimal));
    let six = read.section(6);
    let points = uint(&read.section(3)[6..10]) as usize;
    let mut map = Bits(&six[6..], 0);
    let values: Vec<f64> = (0..points)
        .map(|_| if six[5] == 255 || map.take(1) == 1 { values.next().unwrap() } else { f64::NAN })
        .collect();
    read.values = values;
    read
}

fn read_complex(five: &[u8], data: &[u8], count: usize) -> Vec<i64> {
    let groups = uint(&five[31..35]);
    let (least_width, width_bits) = (u64::from(five[35]), u64::from(five[36]));
    let (least_length, step) = (uint(&five[37..41]), u64::from(five[41]));
    let (last, length_bits) = (uint(&five[42..46]), u64::from(five[46]));
    let (order, octets) = (usize::from(five[47]), usize::from(five[48]));
    let descriptors: Vec<i64> =
        (0..=order).map(|i| int(&data[i * octets..(i + 1) * octets])).collect();
    let mut bits = Bits(data, (order + 1) * octets * 8);
    let lows: Vec<u64> = (0..groups).map(|_| bits.take(u64::from(five[19]))).collect();
    bits.align();
    let widths: Vec<u64> = (0..groups).map(|_| least_width + bits.take(width_bits)).collect();
    bits.align();
    let mut lengths: Vec<u64> =
        (0..groups).map(|_| least_length + step * bits.take(length_bits)).collect();
    bits.align();
    *lengths.last_mut().unwrap() = last;
    assert_eq!(lengths.iter().sum::<u64>() as usize, count);
    let mut values: Vec<i64> = Vec::new();
    for ((low, width), length) in lows.iter().zip(widths).zip(lengths) {
        values.extend((0..length).map(|_| (low + bits.take(width)) as i64));
    }
    bits.align();
    assert_eq!(bits.1 / 8, data.len(), "section 7 ends with the last group");
    for i in 0..count {
        values[i] = match (i < order, order) {
            (true, _) => descriptors[i],
            (_, 1) => values[i] + descriptors[1] + values[i - 1],
            _ => values[i] + descriptors[2] + 2 * values[i - 1] - values[i - 2],
        };
    }
    values
}

fn message(columns: u32, rows: u32, packing: Packing) -> Message {
    Message {
        discipline: 0,
        reference: "2025-01-06T00".parse().unwrap(),
        grid: RegularGrid::new(columns, rows, 10_000_000, 20_000_000, 250_000),
        product: Product::instant(0, 0, Surface::height(2), 6),
        packing,
    }
}

/// A wavy field with a constant stretch, a jump and, if asked for, missing points.
fn field(points: usize, gaps: bool) -> Vec<f32> {
    let mut noise = 1_u32;
    (0..points)
        .map(|i| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let x = i as f32 / 40.0;
            match i {
                _ if gaps && (i % 13 == 5 || (100..140).contains(&i)) => f32::NAN,
                200..=399 => 285.5,
                400.. => 250.0 + 9.0 * x.sin() + (noise >> 20) as f32 / 4096.0,
                _ => 280.0 + 20.0 * x.sin(),
            }
        })
        .collect()
}

#[track_caller]
fn check(packing: Packing, values: &[f32]) -> Encoded {
    let columns = u32::try_from(values.len()).unwrap();
    let encoded = message(columns, 1, packing).encode(values).unwrap();
    let read = read(&encoded.bytes).values;
    let promised = encoded.values();
    assert_eq!(read.len(), values.len());
    // The binary form of the scale allows no more than the last digit of R as an error.
    let tolerance = encoded.quantised.tolerance() * 1.001 + 1e-12;
    for (i, ((read, promised), value)) in read.iter().zip(&promised).zip(values).enumerate() {
        assert_eq!(read.is_nan(), value.is_nan(), "point {i}");
        assert_eq!(promised.is_nan(), value.is_nan(), "point {i}");
        if !value.is_nan() {
            assert!((read - promised).abs() <= 1e-12 * read.abs(), "point {i}: {read} {promised}");
            let wanted = f64::from(*value);
            assert!((read - wanted).abs() <= tolerance, "point {i}: {read} for {wanted}");
        }
    }
    encoded
}

#[test]
fn every_packing_gives_back_the_field() {
    for gaps in [false, true] {
        let values = field(700, gaps);
        for decimal in [-1, 0, 1, 2, 3] {
            for binary in [-3, 0, 2] {
                let precision = Precision::Step { binary };
                check(Packing::simple(decimal).with(precision), &values);
                check(Packing::complex(decimal).with(precision), &values);
                let first = Template::Complex { order: 1 };
                let packing = Packing { template: first, decimal, precision };
                check(packing, &values);
            }
        }
    }
}

#[test]
fn every_number_of_bits_fits() {
    let values = field(500, true);
    for bits in 1..=32 {
        let encoded = check(Packing::simple(2).with(Precision::Bits(bits)), &values);
        assert_eq!(encoded.quantised.bits, u32::from(bits));
        assert_eq!(read(&encoded.bytes).section(5)[19], bits);
        if bits <= 28 {
            check(Packing::complex(2).with(Precision::Bits(bits)), &values);
        }
    }
    let error = message(500, 1, Packing::simple(0).with(Precision::Bits(0))).encode(&values);
    assert!(error.unwrap_err().to_string().contains("zero bits only hold a constant"));
    let wide = message(500, 1, Packing::simple(0).with(Precision::Bits(33))).encode(&values);
    assert!(wide.unwrap_err().to_string().contains("0 to 32"));
}

#[test]
fn short_constant_and_linear_fields() {
    for length in 1..=4 {
        check(Packing::complex(1), &field(length, false));
        check(Packing::simple(1), &field(length, false));
    }
    let constant = check(Packing::complex(1), &[271.3; 5000]);
    assert_eq!(constant.quantised.bits, 0);
    assert!(constant.bytes.len() < 230, "{} bytes", constant.bytes.len());
    // Common decoders ignore the decimal scale factor of zero bits in template 5.0.
    for precision in [Precision::Bits(0), Precision::Step { binary: 1 }] {
        let simple = check(Packing::simple(2).with(precision), &[3.26; 10]);
        assert_eq!(simple.values(), [f64::from(3.26_f32); 10]);
        assert_eq!(read(&simple.bytes).section(5)[11..19], [0x40, 0x50, 0xa3, 0xd7, 0, 0, 0, 0]);
    }
    let linear: Vec<f32> = (0..3000_u16).map(|i| f32::from(i) * 0.1).collect();
    let encoded = check(Packing::complex(1), &linear);
    // Two references suffice: the first two points, and one difference for all others.
    assert!(encoded.bytes.len() < 240, "{} bytes", encoded.bytes.len());
}

#[test]
fn a_field_without_values_has_an_empty_bitmap() {
    let encoded = check(Packing::complex(1), &[f32::NAN; 20]);
    let read = read(&encoded.bytes);
    assert_eq!(read.section(5)[5..11], [0, 0, 0, 0, 0, 0]);
    assert_eq!(read.section(6), [0, 0, 0, 9, 6, 0, 0, 0, 0]);
}

#[test]
fn constant_stretches_cost_almost_nothing() {
    let mut values = vec![0.0_f32; 100_000];
    values[50_000..50_050].copy_from_slice(&field(50, false));
    let encoded = check(Packing::complex(0), &values);
    assert!(encoded.bytes.len() < 400, "{} bytes", encoded.bytes.len());
}

#[test]
fn lengths_and_numbers_of_the_sections() {
    let mut message = message(4, 1, Packing::complex(1));
    let lengths = |message: &Message| {
        let encoded = message.encode(&[1.0, 2.0, 4.0, 4.5]).unwrap();
        read(&encoded.bytes).sections.iter().map(|(_, bytes)| bytes.len()).collect::<Vec<_>>()
    };
    assert_eq!(lengths(&message)[..5], [21, 72, 34, 49, 6]);
    message.product = message.product.of_ensemble(3, 30);
    assert_eq!(lengths(&message)[2], 37);
    message.product = message.product.over(Statistic::Accumulation, 0);
    assert_eq!(lengths(&message)[2], 61);
    message.product.ensemble = None;
    assert_eq!(lengths(&message)[2], 58);
    message.packing = Packing::simple(1);
    assert_eq!(lengths(&message)[3], 21);
}

/// Sections 3 and 4 octet by octet as NCEP wrote them for the control of 2025-01-01 00z:
/// volumetric soil moisture, 0 to 0.1 m, 3 hours, 0.5°.
#[test]
fn grid_and_product_are_written_as_by_ncep() {
    let layer = |value| Surface { kind: 106, factor: 2, value };
    let mut product = Product::instant(0, 192, layer(0), 3).of_ensemble(0, 30);
    product.second = Some(layer(10));
    let message = Message {
        discipline: 2,
        reference: "2025-01-01T00".parse().unwrap(),
        grid: RegularGrid::GLOBAL_0P50,
        product,
        packing: Packing::complex(3),
    };
    let encoded = message.encode(&vec![0.25; RegularGrid::GLOBAL_0P50.len()]).unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let read = read(&encoded.bytes);
    assert_eq!(encoded.bytes[..8], *b"GRIB\0\0\x02\x02");
    assert_eq!(hex(read.section(1)), "00000015010007000202010107e901010000000003");
    assert_eq!(
        hex(read.section(3)),
        "0000004803000003f7500000000006000000000000000000000000000000000002d00000\
         016900000000ffffffff055d4a800000000030855d4a80156d88e00007a1200007a12000"
    );
    assert_eq!(
        hex(read.section(4)),
        "00000025040000000100c004006b00000001000000036a02000000006a020000000a01001e"
    );
}

#[test]
fn windows_end_at_the_lead() {
    let product = Product::instant(1, 8, Surface::GROUND, 30)
        .over(Statistic::Accumulation, 24)
        .of_ensemble(7, 30);
    let message = Message { product, ..message(1, 1, Packing::simple(1)) };
    let encoded = message.encode(&[1.5]).unwrap();
    let read = read(&encoded.bytes);
    let four = read.section(4);
    assert_eq!(uint(&four[7..9]), 11);
    assert_eq!(uint(&four[18..22]), 24, "forecast time is the window's start");
    assert_eq!(four[34..37], [3, 7, 30]);
    assert_eq!(four[37..44], [0x07, 0xe9, 1, 7, 6, 0, 0], "end of the window");
    assert_eq!(four[44..], [1, 0, 0, 0, 0, 1, 2, 1, 0, 0, 0, 6, 255, 0, 0, 0, 0]);
    assert_eq!(message.reference, ReferenceTime::from_seconds(1_736_121_600));
}

#[test]
fn wrong_fields_are_refused() {
    let message = message(3, 1, Packing::complex(1));
    let text = |values: &[f32]| message.encode(values).unwrap_err().to_string();
    assert_eq!(text(&[1.0, 2.0]), "points of the field: expected 3, found 2");
    assert!(text(&[1.0, f32::INFINITY, 2.0]).contains("infinity"));
    let fine = Message { packing: Packing::complex(9), ..message };
    assert!(fine.encode(&[0.0, 1.0, 300.0]).is_err(), "300 × 10^9 does not fit 32 bits");
}
