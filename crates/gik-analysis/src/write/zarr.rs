//! A Zarr v3 store in a folder: what was read, as ordinary arrays that every Zarr reader
//! opens.
//!
//! A chunk is one field: whole along the last two dimensions, 1 along the others. Values lie
//! uncompressed, little-endian. Metadata are consolidated, as xarray writes them.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use gik_core::{
    ArrayMetadata, Chunk, DataType, Error, ErrorKind, ManifestArray, Result, coordinate_array,
    group_json,
};
use serde_json::{Map, Value, json};

use super::{check_output, failed, sibling};
use crate::field::BOUNDS;
use crate::{Attributes, Coordinate, Field};

/// Writes `field` to the folder `path`, which must not be there yet.
pub(super) fn write(field: &Field, path: &Path) -> Result<()> {
    if path.exists() {
        return Err(Error::new(ErrorKind::AlreadyExists {
            what: format!("'{}'", path.display()),
            hint: "name another folder, or remove it first".to_owned(),
        }));
    }
    check_output(path)?;
    let temporary = sibling(path);
    let written = write_store(field, &temporary)
        .and_then(|()| fs::rename(&temporary, path).map_err(|error| failed(path, error)));
    if written.is_err() {
        // Nothing can be done if this fails too; the first error is the one to report.
        let _ = fs::remove_dir_all(&temporary);
    }
    written
}

fn write_store(field: &Field, folder: &Path) -> Result<()> {
    let mut consolidated = Map::new();
    let bounds: Vec<Coordinate> =
        field.coordinates().iter().filter_map(Coordinate::bounds_variable).collect();
    for coordinate in field.coordinates().iter().chain(&bounds).chain(field.ancillary()) {
        let shape: Vec<u64> =
            coordinate.dimensions.iter().map(|name| length(field, name)).collect();
        let names: Vec<&str> = coordinate.dimensions.iter().map(String::as_str).collect();
        let attributes = coordinate.attributes_in_file();
        let array = coordinate_array(&coordinate.values, &shape, &names, 0, attributes)?;
        let place = folder.join(&coordinate.name);
        let json = array.metadata.to_json();
        write_coordinate(&array, &json, &place).map_err(|error| failed(folder, error))?;
        consolidated.insert(coordinate.name.clone(), json);
    }
    let metadata = metadata(field);
    let place = folder.join(field.name());
    let json = metadata.to_json();
    write_field(field, &json, &place).map_err(|error| failed(folder, error))?;
    consolidated.insert(field.name().to_owned(), json);

    let mut group = group_json(field.dataset_attributes());
    if let Some(group) = group.as_object_mut() {
        let kind = json!({"kind": "inline", "must_understand": false, "metadata": consolidated});
        group.insert("consolidated_metadata".into(), kind);
    }
    write_json(folder, &group).map_err(|error| failed(folder, error))
}

fn length(field: &Field, name: &str) -> u64 {
    let is_bounds = if name == BOUNDS { 2 } else { 1 };
    field.dimensions().iter().find(|it| it.name == name).map_or(is_bounds, |it| it.length as u64)
}

fn metadata(field: &Field) -> ArrayMetadata {
    let shape: Vec<u64> = field.dimensions().iter().map(|it| it.length as u64).collect();
    let outer = shape.len().saturating_sub(2);
    let chunk = |(axis, &length): (usize, &u64)| if axis < outer { 1 } else { length.max(1) };
    let mut attributes: Attributes = field.attributes().clone();
    let mapping = field.text("grid_mapping");
    let is_place = |it: &&Coordinate| !it.is_axis() && Some(it.name.as_str()) != mapping;
    let auxiliary = field.coordinates().iter().filter(is_place);
    let auxiliary: Vec<&str> = auxiliary.map(|it| it.name.as_str()).collect();
    if !auxiliary.is_empty() {
        attributes.insert("coordinates".into(), auxiliary.join(" ").into());
    }
    ArrayMetadata {
        chunk_shape: shape.iter().enumerate().map(chunk).collect(),
        shape,
        dimension_names: field.dimensions().iter().map(|it| it.name.clone()).collect(),
        data_type: DataType::Float32,
        codecs: json!([{"name": "bytes", "configuration": {"endian": "little"}}]),
        attributes,
    }
}

fn write_json(folder: &Path, document: &Value) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("zarr.json"), document.to_string())
}

fn write_coordinate(array: &ManifestArray, json: &Value, folder: &Path) -> io::Result<()> {
    write_json(folder, json)?;
    let chunk = array.metadata.shape.iter().fold(folder.join("c"), |path, _| path.join("0"));
    if let Some(parent) = chunk.parent() {
        fs::create_dir_all(parent)?;
    }
    match array.chunks.get(0) {
        Chunk::Inline(bytes) => fs::write(chunk, bytes),
        // Coordinates carry their values with them.
        _ => Err(io::Error::other("a coordinate without values")),
    }
}

fn write_field(field: &Field, json: &Value, folder: &Path) -> io::Result<()> {
    write_json(folder, json)?;
    let shape = field.shape();
    let outer = shape.len().saturating_sub(2);
    let points: usize = shape.iter().skip(outer).product::<usize>().max(1);
    for (number, values) in field.values().chunks(points).enumerate() {
        let mut rest = number;
        let mut indices = vec![0; shape.len()];
        let outer = indices.iter_mut().zip(&shape).take(outer).rev();
        for (index, &length) in outer {
            *index = rest % length.max(1);
            rest /= length.max(1);
        }
        let chunk = indices
            .iter()
            .fold(folder.join("c"), |path, index: &usize| path.join(index.to_string()));
        if let Some(parent) = chunk.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut out = io::BufWriter::new(fs::File::create(chunk)?);
        values.iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))?;
        out.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CoordinateValues;

    #[test]
    fn a_store_of_one_variable() {
        let values = (0..12_u8).map(f32::from).collect();
        let field = Field::new("tp", [("step", 2), ("latitude", 3), ("longitude", 2)], values)
            .and_then(|it| {
                it.with_coordinate(Coordinate::axis("step", CoordinateValues::Int64(vec![6, 12])))
            })
            .and_then(|it| {
                it.with_coordinate(Coordinate::scalar("time", CoordinateValues::Int64(vec![9])))
            })
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rain.zarr");
        write(&field, &path).unwrap();
        let second = fs::read(path.join("tp/c/1/0/0")).unwrap();
        assert_eq!((second.len(), &second[..4]), (24, &6.0_f32.to_le_bytes()[..]));
        assert_eq!(fs::read(path.join("time/c")).unwrap(), 9_i64.to_le_bytes());
        let group: Value =
            serde_json::from_slice(&fs::read(path.join("zarr.json")).unwrap()).unwrap();
        let all = &group["consolidated_metadata"]["metadata"];
        assert_eq!(all["tp"]["chunk_grid"]["configuration"]["chunk_shape"], json!([1, 3, 2]));
        assert_eq!(all["tp"]["attributes"]["coordinates"], "time");
        let error = write(&field, &path).unwrap_err().to_string();
        assert!(error.contains("already exists"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
