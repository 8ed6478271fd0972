//! The shape that every forecast store has: dimensions, coordinates and their CF
//! attributes, the same for all models.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    ArrayMetadata, Attributes, CoordinateValues, DataType, Error, Grid, LatLonGrid, ManifestArray,
    ManifestGroup, ProjectedGrid, Result, Run, coordinate_array,
};

/// How runs are laid out along dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Layout {
    /// `(time, member, step, [level], latitude, longitude)`, `time` the reference time:
    /// later runs are appended.
    #[default]
    Forecast,
    /// One run as `(member, time, [level], latitude, longitude)`, `time` the valid time.
    Run,
}

impl Layout {
    /// The dimension along which windows end.
    pub(crate) const fn window_dimension(self) -> &'static str {
        match self {
            Self::Forecast => "step",
            Self::Run => "time",
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forecast => "forecast",
            Self::Run => "run",
        })
    }
}

impl FromStr for Layout {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "forecast" => Ok(Self::Forecast),
            "run" => Ok(Self::Run),
            _ => Err(Error::argument(format!("layout '{text}'"), "is neither forecast nor run")),
        }
    }
}

/// What a store looks like beyond what the run says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SchemaOptions {
    /// How the run is laid out.
    pub layout: Layout,
    /// Whether data arrays name the model's own codec id instead of `gribberish`.
    pub model_codec: bool,
    /// Whether data arrays are double precision.
    pub float64: bool,
}

/// One data array of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct DataVariable {
    /// The array's name.
    pub name: String,
    /// The level dimension, if the array has one.
    pub level_dimension: Option<String>,
    /// Over what the values extend, as in CF `cell_methods`, without the dimension:
    /// `sum (comment: …)`; none for instants.
    pub cell_method: Option<String>,
    /// The other attributes.
    pub attributes: Attributes,
}

/// The values of a level dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelCoordinate {
    /// The dimension's name, cfgrib's `typeOfLevel`: `isobaricInhPa`.
    pub dimension: String,
    /// The levels, in the unit of the attributes; a layer's first surface.
    pub values: Vec<f64>,
    /// Both surfaces of each layer, if the levels are layers.
    pub bounds: Option<Vec<[f64; 2]>>,
    /// `units`, `long_name`, `positive`, ….
    pub attributes: Attributes,
}

/// All that a model says about a run's store.
#[derive(Debug, Clone)]
pub struct ForecastSchema<'a> {
    /// The run.
    pub run: &'a Run,
    /// How to lay it out.
    pub options: SchemaOptions,
    /// The grid that all data arrays share.
    pub grid: Grid,
    /// The level dimensions that the variables name.
    pub levels: Vec<LevelCoordinate>,
    /// The data arrays, in the order of [`Run::variables`].
    pub variables: Vec<DataVariable>,
    /// The model's own codec id.
    pub model_codec: &'static str,
    /// The group's attributes.
    pub attributes: Attributes,
}

/// Names of coordinates, and what they are.
type Coordinates = Vec<(String, ManifestArray)>;

/// The scalar that describes the map of a projected grid.
const GRID_MAPPING: &str = "spatial_ref";

/// Reference times in a chunk of `time`: 4 kB that an append rewrites, and few chunks to
/// read after years of runs.
const TIMES_PER_CHUNK: u64 = 512;
/// Reference times in a chunk of `valid_time`, which has a row of steps for each.
const VALID_TIME_ROWS_PER_CHUNK: u64 = 32;

impl ForecastSchema<'_> {
    /// The group: data arrays without references yet, and the coordinates.
    ///
    /// # Errors
    /// When a variable names a level dimension that is not there, or the arrays are too
    /// large to hold.
    pub fn group(&self) -> Result<ManifestGroup> {
        let mut attributes = self.attributes.clone();
        attributes.insert("Conventions".into(), json!("CF-1.11"));
        attributes.insert("gik_layout".into(), json!(self.options.layout.to_string()));
        let data = self
            .variables
            .iter()
            .map(|variable| Ok((variable.name.clone(), self.data_array(variable)?)))
            .collect::<Result<_>>()?;
        Ok(ManifestGroup { attributes, data, coordinates: self.coordinates()? })
    }

    fn data_array(&self, variable: &DataVariable) -> Result<ManifestArray> {
        let run_dimensions = self.run_dimensions();
        let mut dimensions: Vec<(&str, u64)> = run_dimensions.clone();
        if let Some(dimension) = &variable.level_dimension {
            let level = self.levels.iter().find(|level| level.dimension == *dimension).ok_or_else(
                || {
                    Error::mismatch(
                        format!("level dimension of {}", variable.name),
                        "one of the schema's",
                        dimension,
                    )
                },
            )?;
            dimensions.push((dimension, level.values.len() as u64));
        }
        let split = dimensions.len();
        dimensions.extend(self.grid.dimensions());

        let mut attributes = variable.attributes.clone();
        // Coordinates that share no name with a dimension are found by this attribute.
        let window_dimension = self.options.layout.window_dimension();
        let auxiliary = match self.options.layout {
            Layout::Forecast => "valid_time",
            Layout::Run => "step reference_time",
        };
        let mut auxiliary = auxiliary.to_owned();
        if matches!(self.grid, Grid::Projected { .. }) {
            auxiliary.push_str(" latitude longitude");
            attributes.insert("grid_mapping".into(), json!(GRID_MAPPING));
        }
        attributes.insert("coordinates".into(), json!(auxiliary));
        if let Some(method) = &variable.cell_method {
            attributes
                .insert("cell_methods".into(), json!(format!("{window_dimension}: {method}")));
        }
        let codec = if self.options.model_codec { self.model_codec } else { "gribberish" };
        ManifestArray::empty(ArrayMetadata {
            shape: dimensions.iter().map(|&(_, length)| length).collect(),
            // One message a chunk: the whole field of one member, step and level.
            chunk_shape: dimensions
                .iter()
                .enumerate()
                .map(|(axis, &(_, length))| if axis < split { 1 } else { length })
                .collect(),
            dimension_names: dimensions.iter().map(|&(name, _)| name.to_owned()).collect(),
            data_type: if self.options.float64 { DataType::Float64 } else { DataType::Float32 },
            codecs: json!([{"name": codec, "configuration": self.codec_configuration(&variable.name)}]),
            attributes,
        })
    }

    /// What the codec needs to know: `var`, and what the grid asks for.
    fn codec_configuration(&self, var: &str) -> Value {
        match self.grid {
            Grid::LatLon(_) => json!({"var": var, "adjust_longitude_range": true}),
            Grid::Projected { .. } => json!({"var": var}),
        }
    }

    /// The dimensions before the level, slowest first, with their lengths.
    fn run_dimensions(&self) -> Vec<(&'static str, u64)> {
        let steps = self.run.steps.len() as u64;
        let members = self.run.members.as_ref().map(|members| ("member", members.len() as u64));
        match self.options.layout {
            Layout::Forecast => {
                std::iter::once(("time", 1)).chain(members).chain([("step", steps)]).collect()
            }
            Layout::Run => members.into_iter().chain([("time", steps)]).collect(),
        }
    }

    fn coordinates(&self) -> Result<Vec<(String, ManifestArray)>> {
        let run = self.run;
        let reference = run.reference_time.seconds();
        let steps: Vec<i64> = run.steps.iter().map(|&step| i64::from(step)).collect();
        let valid: Vec<i64> =
            steps.iter().map(|step| reference + step * run.step_unit.seconds()).collect();
        let (step_count, valid) = (steps.len() as u64, CoordinateValues::Int64(valid));
        let steps = CoordinateValues::Int64(steps);
        let reference = CoordinateValues::Int64(vec![reference]);

        let mut list = Vec::new();
        let mut push = |name: &str, array: ManifestArray| list.push((name.to_owned(), array));
        match self.options.layout {
            Layout::Forecast => {
                push(
                    "time",
                    coordinate_array(
                        &reference,
                        &[1],
                        &["time"],
                        TIMES_PER_CHUNK,
                        reference_time_attributes(),
                    )?,
                );
                push(
                    "step",
                    coordinate_array(&steps, &[step_count], &["step"], 0, self.step_attributes())?,
                );
                push(
                    "valid_time",
                    coordinate_array(
                        &valid,
                        &[1, step_count],
                        &["time", "step"],
                        VALID_TIME_ROWS_PER_CHUNK,
                        valid_time_attributes(),
                    )?,
                );
            }
            Layout::Run => {
                push(
                    "time",
                    coordinate_array(&valid, &[step_count], &["time"], 0, valid_time_attributes())?,
                );
                push(
                    "step",
                    coordinate_array(&steps, &[step_count], &["time"], 0, self.step_attributes())?,
                );
                push(
                    "reference_time",
                    coordinate_array(&reference, &[], &[], 0, reference_time_attributes())?,
                );
            }
        }
        if let Some(members) = &run.members {
            let numbers =
                CoordinateValues::Int64(members.iter().map(|&member| i64::from(member)).collect());
            push(
                "member",
                coordinate_array(
                    &numbers,
                    &[members.len() as u64],
                    &["member"],
                    0,
                    attributes([
                        ("standard_name", json!("realization")),
                        ("long_name", json!("ensemble member, 0 is the control")),
                        ("units", json!("1")),
                    ]),
                )?,
            );
        }
        for level in &self.levels {
            let count = level.values.len() as u64;
            let mut level_attributes = level.attributes.clone();
            if let Some(bounds) = &level.bounds {
                let name = format!("{}_bounds", level.dimension);
                let flat = CoordinateValues::Float64(bounds.iter().flatten().copied().collect());
                push(
                    &name,
                    coordinate_array(
                        &flat,
                        &[count, 2],
                        &[&level.dimension, "bounds"],
                        0,
                        Attributes::new(),
                    )?,
                );
                level_attributes.insert("bounds".into(), json!(name));
            }
            let values = CoordinateValues::Float64(level.values.clone());
            push(
                &level.dimension,
                coordinate_array(&values, &[count], &[&level.dimension], 0, level_attributes)?,
            );
        }
        list.extend(match &self.grid {
            Grid::LatLon(grid) => lat_lon_coordinates(grid)?,
            Grid::Projected { grid, message } => self.projected_coordinates(grid, message)?,
        });
        Ok(list)
    }

    /// `y` and `x`, the latitude and longitude of each point, and the map.
    fn projected_coordinates(&self, grid: &ProjectedGrid, message: &Bytes) -> Result<Coordinates> {
        let mut list = Vec::new();
        for (name, values) in [("y", grid.y()), ("x", grid.x())] {
            let count = values.len() as u64;
            let attributes = attributes([
                ("standard_name", json!(format!("projection_{name}_coordinate"))),
                ("long_name", json!(format!("{name} coordinate of projection"))),
                ("units", json!("m")),
                ("axis", json!(name.to_uppercase())),
            ]);
            let values = CoordinateValues::Float64(values);
            let array = coordinate_array(&values, &[count], &[name], 0, attributes)?;
            list.push((name.to_owned(), array));
        }
        let codec = if self.options.model_codec { self.model_codec } else { "gribberish" };
        let shape = [u64::from(grid.rows), u64::from(grid.columns)];
        for (name, unit) in [("latitude", "degrees_north"), ("longitude", "degrees_east")] {
            let mut array = ManifestArray::empty(ArrayMetadata {
                shape: shape.into(),
                chunk_shape: shape.into(),
                dimension_names: vec!["y".to_owned(), "x".to_owned()],
                data_type: DataType::Float64,
                codecs: json!([{"name": codec, "configuration": self.codec_configuration(name)}]),
                attributes: attributes([
                    ("standard_name", json!(name)),
                    ("long_name", json!(name)),
                    ("units", json!(unit)),
                ]),
            })?;
            array.chunks.set_inline(0, message.clone())?;
            list.push((name.to_owned(), array));
        }
        let map = CoordinateValues::Int64(vec![0]);
        let array = coordinate_array(&map, &[], &[], 0, grid.mapping_attributes())?;
        list.push((GRID_MAPPING.to_owned(), array));
        Ok(list)
    }

    fn step_attributes(&self) -> Attributes {
        attributes([
            ("standard_name", json!("forecast_period")),
            ("long_name", json!("time since forecast_reference_time")),
            ("units", json!(self.run.step_unit.name())),
            // What makes xarray decode it as a timedelta.
            ("dtype", json!("timedelta64[ns]")),
        ])
    }
}

/// The latitudes of the rows and the longitudes of the columns.
fn lat_lon_coordinates(grid: &LatLonGrid) -> Result<Coordinates> {
    let mut list = Vec::new();
    let (latitudes, longitudes) = (grid.latitudes(), grid.longitudes());
    for (name, values, unit, direction) in [
        ("latitude", latitudes, "degrees_north", "decreasing"),
        ("longitude", longitudes, "degrees_east", "increasing"),
    ] {
        let count = values.len() as u64;
        let attributes = attributes([
            ("standard_name", json!(name)),
            ("long_name", json!(name)),
            ("units", json!(unit)),
            ("stored_direction", json!(direction)),
        ]);
        let values = CoordinateValues::Float64(values);
        list.push((name.to_owned(), coordinate_array(&values, &[count], &[name], 0, attributes)?));
    }
    Ok(list)
}

fn attributes<const N: usize>(pairs: [(&str, Value); N]) -> Attributes {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn time_attributes(standard_name: &str, long_name: &str) -> Attributes {
    attributes([
        ("standard_name", json!(standard_name)),
        ("long_name", json!(long_name)),
        ("units", json!("seconds since 1970-01-01")),
        ("calendar", json!("proleptic_gregorian")),
    ])
}

fn reference_time_attributes() -> Attributes {
    time_attributes("forecast_reference_time", "initial time of forecast")
}

fn valid_time_attributes() -> Attributes {
    time_attributes("time", "time at which the forecast is valid")
}
