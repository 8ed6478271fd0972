//! A run of which every value is known.

use std::path::Path;

use gik::core::ReferenceTime;
use gik_testkit::gefs::{GefsRun, Product};
use gik_testkit::grib::{
    Encoded, Ensemble, Message, Packing, Product as GribProduct, RegularGrid, Surface,
};

/// The initialisation time of a run unless it says otherwise.
pub(crate) const TIME: &str = "2025-01-06T00";
/// Temperature at 2 m, as an index names it. The array: `t2m`.
pub(crate) const T2M: &str = "TMP:2 m above ground";
/// Rain; the file of 0 h has none. The array: `tp`.
pub(crate) const TP: &str = "APCP:surface";
/// Soil moisture, missing at every fifth point. The array: `soilw`.
pub(crate) const SOILW: &str = "SOILW:0-0.1 m below ground";

/// Some messages of a run, in files as the public bucket has them.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    time: ReferenceTime,
    product: Product,
    generated: GefsRun,
    grid: RegularGrid,
    members: Vec<u8>,
    steps: Vec<u32>,
    wanted: fn(&str) -> bool,
    /// The member whose rain is missing at four of five points.
    gappy: Option<u8>,
}

impl Run {
    /// The messages of [`T2M`], [`TP`] and [`SOILW`] at 0.5°.
    pub(crate) fn new(members: &[u8], steps: &[u32]) -> Self {
        Self::of(Product::A, members, steps, |field| [T2M, TP, SOILW].contains(&field))
    }

    /// The messages of which `wanted` likes the name, such as `TMP:2 m above ground`.
    pub(crate) fn of(
        product: Product,
        members: &[u8],
        steps: &[u32],
        wanted: fn(&str) -> bool,
    ) -> Self {
        let time = TIME.parse().unwrap();
        Self {
            time,
            product,
            generated: GefsRun::new(time).product(product),
            grid: product.grid(),
            members: members.to_vec(),
            steps: steps.to_vec(),
            wanted,
            gappy: None,
        }
    }

    /// The same with the rain of a member missing at most points: four of five.
    pub(crate) fn gappy(mut self, member: u8) -> Self {
        self.gappy = Some(member);
        self
    }

    /// The same of another initialisation time, with other values.
    pub(crate) fn at(mut self, time: &str) -> Self {
        self.time = time.parse().unwrap();
        self.generated = GefsRun::new(self.time).product(self.product);
        self
    }

    /// The options that ask for [`Run::new`].
    pub(crate) fn options(&self) -> String {
        let list = |numbers: Vec<String>| numbers.join(",");
        format!(
            "--product pgrb2ap5 --variables t2m,tp,soilw --members {} --steps {}",
            list(self.members.iter().map(u8::to_string).collect()),
            list(self.steps.iter().map(u32::to_string).collect()),
        )
    }

    pub(crate) fn path(&self, member: u8, step: u32) -> String {
        self.generated.path(member, step)
    }

    /// Member and step of each file.
    pub(crate) fn targets(&self) -> impl Iterator<Item = (u8, u32)> + '_ {
        self.members.iter().flat_map(|&member| self.steps.iter().map(move |&step| (member, step)))
    }

    /// Data and index of one file.
    pub(crate) fn file(&self, member: u8, step: u32) -> (Vec<u8>, String) {
        let (mut data, mut index) = (Vec::new(), String::new());
        for line in self.generated.index(member, step).0.lines() {
            let parts: Vec<&str> = line.splitn(4, ':').collect();
            let field = field_of(line);
            if (self.wanted)(&field) {
                let number = index.lines().count() + 1;
                index.push_str(&format!("{number}:{}:{}:{}\n", data.len(), parts[2], parts[3]));
                data.extend(self.encode(&field, member, step).bytes);
            }
        }
        (data, index)
    }

    /// Writes all files below `bucket`; the number of messages.
    pub(crate) fn write(&self, bucket: &Path) -> usize {
        let mut messages = 0;
        for (member, step) in self.targets() {
            let (data, index) = self.file(member, step);
            messages += index.lines().count();
            let path = bucket.join(self.path(member, step));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, data).unwrap();
            std::fs::write(path.with_added_extension("idx"), index).unwrap();
        }
        messages
    }

    /// The values of a message as a reader must see them: rounded as the message holds
    /// them, and with longitudes from -180°.
    pub(crate) fn values(&self, field: &str, member: u8, step: u32) -> Vec<f32> {
        if field == TP && step == 0 {
            return self.missing();
        }
        let columns = self.grid.columns as usize;
        let mut values: Vec<f32> = Vec::with_capacity(self.grid.len());
        let encoded = self.encode(field, member, step).values();
        for row in encoded.chunks_exact(columns) {
            let (east, west) = row.split_at(columns / 2);
            values.extend(west.iter().chain(east).map(|&value| value as f32));
        }
        values
    }

    /// The values of a message that is not there.
    pub(crate) fn missing(&self) -> Vec<f32> {
        vec![f32::NAN; self.grid.len()]
    }

    /// The bytes of a message.
    pub(crate) fn message_length(&self, field: &str, member: u8, step: u32) -> u64 {
        self.encode(field, member, step).bytes.len() as u64
    }

    fn encode(&self, field: &str, member: u8, step: u32) -> Encoded {
        let seed = field.bytes().fold(0_u32, |sum, byte| (sum * 31 + u32::from(byte)) % 977);
        let seed = seed + u32::from(member) * 7 + step + self.time.hour() * 3;
        let (rows, columns) = (self.grid.rows, self.grid.columns);
        let points = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        let values: Vec<f32> = points
            .map(|(row, column)| match (row + column) % 5 {
                0 if field == SOILW => f32::NAN,
                1.. if field == TP && self.gappy == Some(member) => f32::NAN,
                _ => 0.37 * seed as f32 + 0.13 * ((row / 4 + column / 6) % 60) as f32,
            })
            .collect();
        let mut product = GribProduct::instant(0, 0, Surface::height(2), step);
        product.ensemble = Some(Ensemble { member, size: 30 });
        let message = Message {
            discipline: 0,
            reference: self.time,
            grid: self.grid,
            product,
            packing: Packing::complex(if field == T2M { 1 } else { 2 }),
        };
        message.encode(&values).unwrap()
    }
}

/// `TMP:2 m above ground` of a line of an index.
pub(crate) fn field_of(line: &str) -> String {
    line.split(':').skip(3).take(2).collect::<Vec<_>>().join(":")
}
