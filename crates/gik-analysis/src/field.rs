//! What a read of a store yields and every writer takes.

use gik_core::{Attributes, CoordinateValues, Error, Result};
use serde_json::Value;

/// The dimension of a beginning and an end.
pub(crate) const BOUNDS: &str = "bnds";

/// A named axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dimension {
    /// Its name, as in the store: `time`, `latitude`.
    pub name: String,
    /// The number of points along it.
    pub length: usize,
}

/// Numbers that say where or when the points of a field are.
///
/// # Shape
/// C order over [`dimensions`](Self::dimensions), which are names of the field's dimensions:
/// one of the coordinate's own name makes it the labels of that axis; none makes it a scalar
/// (the one step that was selected); others make it auxiliary (`valid_time(time, step)`).
#[derive(Debug, Clone, PartialEq)]
pub struct Coordinate {
    /// Its name.
    pub name: String,
    /// The field's dimensions it runs over, in the order of its values.
    pub dimensions: Vec<String>,
    /// Its values.
    pub values: CoordinateValues,
    /// `units`, `standard_name`, …
    pub attributes: Attributes,
    /// Of each value a beginning and an end, where it stands for an interval: twice as many
    /// as values. Files have them as a variable of the name and `_bnds`.
    pub bounds: Option<CoordinateValues>,
}

impl Coordinate {
    /// The labels of the axis `name`.
    #[must_use]
    pub fn axis(name: &str, values: CoordinateValues) -> Self {
        Self {
            name: name.into(),
            dimensions: vec![name.into()],
            values,
            attributes: Attributes::new(),
            bounds: None,
        }
    }

    /// A coordinate of one value that belongs to no axis.
    #[must_use]
    pub fn scalar(name: &str, values: CoordinateValues) -> Self {
        Self { dimensions: vec![], ..Self::axis(name, values) }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn with_attribute(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.attributes.insert(name.into(), value.into());
        self
    }

    /// Its bounds as a variable of their own, with a dimension [`BOUNDS`] of two.
    pub(crate) fn bounds_variable(&self) -> Option<Self> {
        let mut dimensions = self.dimensions.clone();
        dimensions.push(BOUNDS.to_owned());
        let name = format!("{}_bnds", self.name);
        let mut variable = Self { dimensions, ..Self::axis(&name, self.bounds.clone()?) };
        for attribute in ["units", "calendar"] {
            if let Some(value) = self.attributes.get(attribute) {
                variable.attributes.insert(attribute.into(), value.clone());
            }
        }
        Some(variable)
    }

    /// Its attributes in a file: those it has, and the name of its bounds.
    pub(crate) fn attributes_in_file(&self) -> Attributes {
        let mut attributes = self.attributes.clone();
        if self.bounds.is_some() {
            attributes.insert("bounds".into(), format!("{}_bnds", self.name).into());
        }
        attributes
    }

    /// Its values as people read them: times in ISO 8601, in UTC; what is missing is empty.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        let time = crate::cf_time::TimeUnits::of(self);
        let iso = |value: f64| time.and_then(|units| units.iso(value));
        (0..self.values.len())
            .map(|i| {
                if let Some(text) = self.values.get(i).and_then(iso) {
                    return text;
                }
                match &self.values {
                    CoordinateValues::Float64(values) => match values.get(i) {
                        Some(value) if !value.is_nan() => value.to_string(),
                        _ => String::new(),
                    },
                    CoordinateValues::Int64(values) => {
                        values.get(i).map_or_else(String::new, i64::to_string)
                    }
                }
            })
            .collect()
    }

    /// Whether it labels the axis of its own name.
    #[must_use]
    pub fn is_axis(&self) -> bool {
        matches!(self.dimensions.as_slice(), [only] if *only == self.name)
    }

    /// An attribute's text, if it is one.
    #[must_use]
    pub fn text(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute)?.as_str()
    }
}

/// A variable read from a store: numbers, and all that is needed to understand them.
///
/// # Shape
/// Values are `f32` in C order: the last of [`dimensions`](Self::dimensions) runs fastest.
/// What is missing is NaN.
///
/// # Units
/// Those of the attribute `units`.
///
/// # Examples
/// ```
/// use gik_analysis::{Coordinate, CoordinateValues, Field};
///
/// let field = Field::new("t2m", [("latitude", 2), ("longitude", 1)], vec![290.0, 288.5])?
///     .with_attribute("units", "K")
///     .with_coordinate(Coordinate::axis("latitude", CoordinateValues::Float64(vec![1.0, 0.0])))?
///     .with_coordinate(Coordinate::axis("longitude", CoordinateValues::Float64(vec![36.0])))?
///     .with_coordinate(Coordinate::scalar("member", CoordinateValues::Int64(vec![3])))?;
/// assert_eq!(field.shape(), [2, 1]);
/// # Ok::<(), gik_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    name: String,
    dimensions: Vec<Dimension>,
    values: Vec<f32>,
    attributes: Attributes,
    coordinates: Vec<Coordinate>,
    ancillary: Vec<Coordinate>,
    dataset_attributes: Attributes,
}

impl Field {
    /// A field without attributes and coordinates.
    ///
    /// # Errors
    /// If the number of values is not the product of the dimensions, or two dimensions have
    /// one name.
    pub fn new<N: Into<String>>(
        name: impl Into<String>,
        dimensions: impl IntoIterator<Item = (N, usize)>,
        values: Vec<f32>,
    ) -> Result<Self> {
        let name = name.into();
        let dimensions: Vec<Dimension> = dimensions
            .into_iter()
            .map(|(name, length)| Dimension { name: name.into(), length })
            .collect();
        for (index, dimension) in dimensions.iter().enumerate() {
            if dimensions.iter().skip(index + 1).any(|other| other.name == dimension.name) {
                return Err(Error::mismatch(
                    format!("dimensions of '{name}'"),
                    "different names",
                    format!("'{}' twice", dimension.name),
                ));
            }
        }
        let points = dimensions.iter().try_fold(1_usize, |n, d| n.checked_mul(d.length));
        if points != Some(values.len()) {
            return Err(Error::mismatch(
                format!("values of '{name}'"),
                format!("as many as {}", describe(&dimensions)),
                values.len().to_string(),
            ));
        }
        Ok(Self {
            name,
            dimensions,
            values,
            attributes: Attributes::new(),
            coordinates: Vec::new(),
            ancillary: Vec::new(),
            dataset_attributes: Attributes::new(),
        })
    }

    /// Adds a coordinate.
    ///
    /// # Errors
    /// If the field has a coordinate or is itself of that name, lacks a dimension of it, or
    /// the number of values does not fit.
    pub fn with_coordinate(mut self, coordinate: Coordinate) -> Result<Self> {
        self.check(&coordinate)?;
        self.coordinates.push(coordinate);
        Ok(self)
    }

    /// Adds a variable that tells how good the field is: the members that a mean is of, say.
    /// It is written to `NetCDF` and Zarr beside the field, and named in its attribute
    /// `ancillary_variables`.
    ///
    /// # Errors
    /// As [`with_coordinate`](Self::with_coordinate).
    pub fn with_ancillary(mut self, variable: Coordinate) -> Result<Self> {
        self.check(&variable)?;
        let before = self.text("ancillary_variables").unwrap_or_default();
        let names = format!("{before} {}", variable.name).trim().to_owned();
        self.attributes.insert("ancillary_variables".into(), names.into());
        self.ancillary.push(variable);
        Ok(self)
    }

    /// Whether numbers along the field's dimensions can go with it.
    fn check(&self, coordinate: &Coordinate) -> Result<()> {
        let is_taken = coordinate.name == self.name
            || self.coordinates.iter().chain(&self.ancillary).any(|it| it.name == coordinate.name);
        if is_taken {
            return Err(Error::mismatch(
                format!("coordinates of '{}'", self.name),
                "different names",
                format!("'{}' twice", coordinate.name),
            ));
        }
        let mut points = 1_usize;
        for name in &coordinate.dimensions {
            let Some(dimension) = self.dimensions.iter().find(|d| d.name == *name) else {
                return Err(Error::mismatch(
                    format!("dimensions of the coordinate '{}'", coordinate.name),
                    format!("some of {}", describe(&self.dimensions)),
                    format!("'{name}'"),
                ));
            };
            points = points.saturating_mul(dimension.length);
        }
        if points != coordinate.values.len() {
            return Err(Error::mismatch(
                format!("values of the coordinate '{}'", coordinate.name),
                points.to_string(),
                coordinate.values.len().to_string(),
            ));
        }
        if coordinate.bounds.as_ref().is_some_and(|it| it.len() != points.saturating_mul(2)) {
            return Err(Error::mismatch(
                format!("bounds of the coordinate '{}'", coordinate.name),
                "two for each value",
                "another number",
            ));
        }
        Ok(())
    }

    /// Keeps the coordinates that `keep` says.
    pub(crate) fn retain_coordinates(&mut self, keep: impl FnMut(&Coordinate) -> bool) {
        self.coordinates.retain(keep);
    }

    /// Adds an attribute of the variable.
    #[must_use]
    pub fn with_attribute(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.attributes.insert(name.into(), value.into());
        self
    }

    /// Sets all attributes of the variable.
    #[must_use]
    pub fn with_attributes(mut self, attributes: Attributes) -> Self {
        self.attributes = attributes;
        self
    }

    /// Sets the attributes of the dataset: `institution`, `source`, `history`, …
    #[must_use]
    pub fn with_dataset_attributes(mut self, attributes: Attributes) -> Self {
        self.dataset_attributes = attributes;
        self
    }

    /// The same field with other values.
    ///
    /// # Errors
    /// If their number is not that of this field's.
    pub fn with_values(&self, values: Vec<f32>) -> Result<Self> {
        if values.len() != self.values.len() {
            return Err(Error::mismatch(
                format!("values of '{}'", self.name),
                self.values.len().to_string(),
                values.len().to_string(),
            ));
        }
        Ok(Self { values, ..self.clone() })
    }

    /// The variable's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The axes, slowest first.
    #[must_use]
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// The lengths of the axes.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        self.dimensions.iter().map(|dimension| dimension.length).collect()
    }

    /// The values in C order.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The values in C order, without the rest.
    #[must_use]
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// The variable's attributes.
    #[must_use]
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// An attribute's text, if it is one.
    #[must_use]
    pub fn text(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute)?.as_str()
    }

    /// All coordinates, in the order they were added.
    #[must_use]
    pub fn coordinates(&self) -> &[Coordinate] {
        &self.coordinates
    }

    /// The coordinate of this name.
    #[must_use]
    pub fn coordinate(&self, name: &str) -> Option<&Coordinate> {
        self.coordinates.iter().find(|coordinate| coordinate.name == name)
    }

    /// The variables that tell how good the field is.
    #[must_use]
    pub fn ancillary(&self) -> &[Coordinate] {
        &self.ancillary
    }

    /// The dataset's attributes.
    #[must_use]
    pub fn dataset_attributes(&self) -> &Attributes {
        &self.dataset_attributes
    }
}

/// `time=2 × latitude=3`, for error texts.
pub(crate) fn describe(dimensions: &[Dimension]) -> String {
    let parts: Vec<String> =
        dimensions.iter().map(|d| format!("{}={}", d.name, d.length)).collect();
    if parts.is_empty() { "no dimension".into() } else { parts.join(" × ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_checked() {
        let error = Field::new("tp", [("step", 2), ("latitude", 3)], vec![0.0; 5]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "values of 'tp': expected as many as step=2 × latitude=3, found 5"
        );
        assert!(Field::new("tp", [("x", 1), ("x", 1)], vec![0.0]).is_err());
        assert!(Field::new("tp", [("x", usize::MAX), ("y", 2)], vec![0.0]).is_err());
        let scalar = Field::new("tp", [("x", 1); 0], vec![4.0]).unwrap();
        assert_eq!((scalar.shape(), scalar.values()), (vec![], &[4.0][..]));
    }

    #[test]
    fn coordinates_are_checked() {
        let field = || Field::new("tp", [("step", 2)], vec![0.0; 2]).unwrap();
        let steps = |n: i64| Coordinate::axis("step", CoordinateValues::Int64((0..n).collect()));
        let good = field().with_coordinate(steps(2)).unwrap();
        assert_eq!(good.coordinate("step").unwrap().values.get(1), Some(1.0));
        assert!(good.coordinate("step").unwrap().is_axis());
        for (field, coordinate, part) in [
            (field(), steps(3), "expected 2, found 3"),
            (good, steps(2), "'step' twice"),
            (field(), Coordinate::axis("x", CoordinateValues::Float64(vec![])), "found 'x'"),
            (field(), Coordinate::scalar("tp", CoordinateValues::Int64(vec![1])), "'tp' twice"),
        ] {
            let error = field.with_coordinate(coordinate).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
