//! The codec's entry in Zarr metadata.

use gik_core::{
    DecodeOptions, Error, ErrorKind, GribCodec, Quantity, Result, ValueBuffer, linked_codecs,
};
use serde_json::{Map, Value};

/// A codec and what its entry in a `zarr.json` says.
///
/// The entry `{"name": …, "configuration": {…}}` may have these keys:
///
/// | key | value | default |
/// |---|---|---|
/// | `var` | `latitude` or `longitude` for the coordinates of the message's grid; any other text for its data | the data |
/// | `adjust_longitude_range` | turn a global grid of 0…360° to −180…180° | `false` |
/// | `north_up` | put the northernmost row first | `false` |
///
/// Of a codec with coordinates ([`CodecInfo::has_coordinates`](gik_core::CodecInfo)) `var` may also
/// be `time`, `step`, or one of `HRRRParser`'s types of level (`hag`, `isobar`, …), and there may be
/// `steps`, the number of steps of the coordinate.
///
/// The Python codec `gribberish` wants `var` to be there.
///
/// ```
/// use gik_codec::CodecConfiguration;
/// use gik_core::Quantity;
///
/// let entry = serde_json::json!({
///     "name": "gribberish",
///     "configuration": {"var": "longitude", "adjust_longitude_range": true}
/// });
/// let configuration = CodecConfiguration::from_json(&entry)?;
/// assert_eq!(configuration.options().quantity, Quantity::Longitude);
/// assert!(configuration.options().adjust_longitude_range);
/// assert_eq!(configuration.to_json(), entry);
/// # Ok::<(), gik_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CodecConfiguration {
    codec: &'static dyn GribCodec,
    options: DecodeOptions,
    /// As it was read, to be given back unchanged.
    configuration: Map<String, Value>,
}

/// A key of the configuration and how it changes the options.
type Key = (&'static str, fn(&mut DecodeOptions, &Value) -> Option<()>, &'static str);

const KEYS: &[Key] = &[
    ("var", set_variable, "a text"),
    (
        "adjust_longitude_range",
        |options, value| {
            options.adjust_longitude_range = value.as_bool()?;
            Some(())
        },
        "true or false",
    ),
    (
        "north_up",
        |options, value| {
            options.north_up = value.as_bool()?;
            Some(())
        },
        "true or false",
    ),
];

/// A key that only codecs with coordinates have.
const STEPS: Key = (
    "steps",
    |options, value| {
        options.steps = Some(u32::try_from(value.as_u64()?).ok().filter(|&steps| steps > 0)?);
        Some(())
    },
    "a number from 1 on",
);

/// Types of level as `HRRRParser` calls their coordinates.
const LEVELS: &[&str] = &[
    "atm",
    "clt",
    "hag",
    "sfc",
    "lfc",
    "isotherm",
    "isobar",
    "sigma",
    "entire_atm",
    "bndry_cloud",
    "lcl",
    "mcl",
    "hcl",
    "cld_ceiling",
    "clb",
    "zero_deg_isotherm",
    "htfl",
    "adiabatic_condensation_lifted",
    "eqm",
    "depth_bls",
    "hybid",
];

/// What `var` means to a codec with coordinates, where it is more than to others.
fn coordinate(var: &Value) -> Option<Quantity> {
    match var.as_str()? {
        "time" => Some(Quantity::ReferenceTime),
        "step" => Some(Quantity::Step),
        name => LEVELS.contains(&name).then_some(Quantity::Level),
    }
}

fn set_variable(options: &mut DecodeOptions, value: &Value) -> Option<()> {
    options.quantity = match value {
        Value::Null => Quantity::Data,
        Value::String(name) => match name.as_str() {
            "latitude" => Quantity::Latitude,
            "longitude" => Quantity::Longitude,
            _ => Quantity::Data,
        },
        _ => return None,
    };
    Some(())
}

impl CodecConfiguration {
    /// Reads an entry of `codecs` in a `zarr.json`: an object with `name` and, optionally,
    /// `configuration`, or the name alone.
    ///
    /// # Errors
    /// When the entry has another form, no linked crate has a codec of this name, or the
    /// configuration has a key or value that it may not have.
    pub fn from_json(entry: &Value) -> Result<Self> {
        let name = entry.as_str().or_else(|| entry.get("name")?.as_str());
        let Some(name) = name else {
            let reason = format!("an object with a name is needed, not {entry}");
            return Err(Error::argument("codec metadata", reason));
        };
        match entry.get("configuration") {
            None => Self::new(name, Map::new()),
            Some(Value::Object(configuration)) => Self::new(name, configuration.clone()),
            Some(other) => {
                let reason = format!("an object is needed, not {other}");
                Err(Error::argument(format!("configuration of codec '{name}'"), reason))
            }
        }
    }

    /// The codec `name` with this configuration.
    ///
    /// # Errors
    /// As for [`from_json`](Self::from_json).
    pub fn new(name: &str, configuration: Map<String, Value>) -> Result<Self> {
        let codec = find(name)?;
        let mut options = DecodeOptions::default();
        for (key, value) in &configuration {
            let argument = || format!("configuration of codec '{name}'");
            let mut keys = KEYS.iter().chain(codec.info().has_coordinates.then_some(&STEPS));
            let Some((_, set, expected)) = keys.clone().find(|(known, ..)| known == key) else {
                let known: Vec<_> = keys.by_ref().map(|(known, ..)| *known).collect();
                let reason = format!("unknown key '{key}'; known are {}", known.join(", "));
                return Err(Error::argument(argument(), reason));
            };
            if set(&mut options, value).is_none() {
                let reason = format!("'{key}' must be {expected}, not {value}");
                return Err(Error::argument(argument(), reason));
            }
        }
        if codec.info().has_coordinates
            && let Some(quantity) = configuration.get("var").and_then(coordinate)
        {
            options.quantity = quantity;
        }
        Ok(Self { codec, options, configuration })
    }

    /// The codec.
    #[must_use]
    pub fn codec(&self) -> &'static dyn GribCodec {
        self.codec
    }

    /// What to decode, and how to lay it out.
    #[must_use]
    pub fn options(&self) -> &DecodeOptions {
        &self.options
    }

    /// The configuration as it was read.
    #[must_use]
    pub fn configuration(&self) -> &Map<String, Value> {
        &self.configuration
    }

    /// The entry for a `zarr.json`: what [`from_json`](Self::from_json) read.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut entry = Map::new();
        entry.insert("name".to_owned(), self.codec.info().id.into());
        if !self.configuration.is_empty() {
            entry.insert("configuration".to_owned(), self.configuration.clone().into());
        }
        Value::Object(entry)
    }

    /// Decodes `message` into `out`, sized from the chunk's shape.
    ///
    /// # Errors
    /// Those of [`GribCodec::decode_into`].
    pub fn decode_into(&self, message: &[u8], out: ValueBuffer<'_>) -> Result<()> {
        self.codec.decode_into(message, &self.options, out)
    }
}

/// The linked codec of this name.
fn find(name: &str) -> Result<&'static dyn GribCodec> {
    let mut found: Option<&'static dyn GribCodec> = None;
    for codec in linked_codecs().filter(|codec| codec.info().id == name) {
        if let Some(first) = found {
            return Err(Error::new(ErrorKind::DuplicatePlugin {
                role: "codec",
                id: name.to_owned(),
                first: first.info().crate_name.to_owned(),
                second: codec.info().crate_name.to_owned(),
            }));
        }
        found = Some(codec);
    }
    found.ok_or_else(|| {
        let mut available: Vec<_> = linked_codecs().map(|codec| codec.info().id).collect();
        available.sort_unstable();
        available.dedup();
        Error::new(ErrorKind::UnknownPlugin {
            role: "codec",
            id: name.to_owned(),
            available: available.join(", "),
        })
    })
}
