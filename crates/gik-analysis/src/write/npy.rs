//! NumPy's array file, version 1.0 (NEP 1): magic, header length (`u16`), a Python literal
//! padded so that the data start at a multiple of 64, the data.

use std::io::{self, Write};

use crate::Field;

const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";

/// NumPy aligns the data to this.
const ALIGNMENT: usize = 64;

pub(super) fn write(field: &Field, out: &mut impl Write) -> io::Result<()> {
    let lengths: String = field.shape().iter().map(|length| format!("{length}, ")).collect();
    // Python wants the comma after a lone element and none needs it elsewhere.
    let shape = match field.shape().as_slice() {
        [only] => format!("{only},"),
        _ => lengths.trim_end_matches(", ").to_owned(),
    };
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}");
    // Magic, two bytes of length, header, newline.
    let length = MAGIC.len() + 2 + header.len() + 1;
    let padding = length.next_multiple_of(ALIGNMENT) - length;
    header.extend(std::iter::repeat_n(' ', padding));
    header.push('\n');
    let header_length = u16::try_from(header.len())
        .map_err(|_| io::Error::other("too many dimensions for a .npy file of version 1.0"))?;
    out.write_all(MAGIC)?;
    out.write_all(&header_length.to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    for value in field.values() {
        out.write_all(&value.to_le_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(dimensions: &[(&str, usize)], values: Vec<f32>) -> Vec<u8> {
        let mut out = Vec::new();
        write(&Field::new("x", dimensions.iter().copied(), values).unwrap(), &mut out).unwrap();
        out
    }

    #[test]
    fn golden_bytes() {
        let out = bytes(&[("y", 2), ("x", 1)], vec![1.0, f32::NAN]);
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }";
        let mut expected = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        expected.extend(header.bytes());
        expected.resize(127, b' ');
        expected.extend(b"\n\x00\x00\x80\x3f\x00\x00\xc0\x7f");
        assert_eq!(out, expected);
    }

    #[test]
    fn shapes_as_python_tuples() {
        for (dimensions, tuple) in
            [(&[][..], "()"), (&[("x", 1)], "(1,)"), (&[("z", 1), ("y", 1), ("x", 1)], "(1, 1, 1)")]
        {
            let out = bytes(dimensions, vec![0.0]);
            assert!(String::from_utf8_lossy(&out).contains(&format!("'shape': {tuple}, }}")));
            assert_eq!(out.len() % 64, 4);
        }
    }
}
