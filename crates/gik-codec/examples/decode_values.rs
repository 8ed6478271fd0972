//! Decodes the messages of a file, one after the other, for comparison with other decoders:
//! `decode_values f32|f64 FILE` writes to stdout, for each message, the number of its
//! values and the values, or -1, the length of the error's text and the text; all
//! little-endian, numbers as i64.

use std::io::{BufWriter, Result, Write};
use std::process::ExitCode;

use gik_codec::{GRIBBERISH, GridDefinition, Message};
use gik_core::{DecodeOptions, GribCodec, ValueBuffer};

/// The values of the message at the start of `bytes`, as octets.
fn decode(bytes: &[u8], single: bool) -> gik_core::Result<Vec<u8>> {
    let field = Message::read(bytes)?.only_field()?;
    let points = GridDefinition::read(&field.grid)?.points as usize;
    let options = DecodeOptions::default();
    if single {
        let mut values = vec![0.0_f32; points];
        GRIBBERISH.decode_into(bytes, &options, ValueBuffer::F32(&mut values))?;
        Ok(values.iter().flat_map(|value| value.to_le_bytes()).collect())
    } else {
        let mut values = vec![0.0_f64; points];
        GRIBBERISH.decode_into(bytes, &options, ValueBuffer::F64(&mut values))?;
        Ok(values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }
}

fn run(file: &[u8], single: bool, out: &mut impl Write) -> Result<()> {
    let mut rest = file;
    let size = if single { 4 } else { 8 };
    while !rest.is_empty() {
        match decode(rest, single) {
            Ok(values) => {
                out.write_all(&(values.len() as i64 / size).to_le_bytes())?;
                out.write_all(&values)?;
            }
            Err(error) => {
                let text = error.to_string();
                out.write_all(&(-1_i64).to_le_bytes())?;
                out.write_all(&(text.len() as i64).to_le_bytes())?;
                out.write_all(text.as_bytes())?;
            }
        }
        let message = Message::read(rest).map_err(std::io::Error::other)?;
        let length = usize::try_from(message.total_length()).map_err(std::io::Error::other)?;
        rest = rest.get(length..).unwrap_or_default();
    }
    out.flush()
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, precision, path] = arguments.as_slice() else {
        return ExitCode::from(2);
    };
    let read = std::fs::read(path).and_then(|file| {
        let mut out = BufWriter::new(std::io::stdout().lock());
        run(&file, precision == "f32", &mut out)
    });
    match read {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{path}: {error}");
            ExitCode::FAILURE
        }
    }
}
