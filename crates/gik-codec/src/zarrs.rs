//! The adapter to [`zarrs`]: the one place that names its types.
//!
//! One plug-in stands for the codecs of all linked crates, whatever they are called. It
//! only reads: a chunk is a GRIB message that someone else has encoded.

use std::any::Any;
use std::borrow::Cow;
use std::num::NonZeroU64;
use std::sync::{Arc, LazyLock, RwLock, RwLockReadGuard, RwLockWriteGuard};

use gik_core::{GridRegion, ValueBuffer, linked_codecs};
use zarrs::array::codec::api::{
    ArrayBytes, ArrayBytesRaw, ArrayCodecTraits, ArrayPartialDecoderTraits,
    ArrayToBytesCodecTraits, AsyncArrayPartialDecoderTraits, AsyncBytesPartialDecoderTraits,
    BytesPartialDecoderTraits, BytesRepresentation, Codec, CodecError, CodecMetadataOptions,
    CodecOptions, CodecPluginV3, CodecTraits, CodecTraitsV3, PartialDecoderCapability,
    PartialEncoderCapability, RecommendedConcurrency,
};
use zarrs::array::data_type::{
    Float32DataType, Float64DataType, Int64DataType, NumpyDateTime64DataType,
    NumpyTimeDelta64DataType,
};
use zarrs::array::{DataType, FillValue, Indexer, transmute_to_bytes_vec};
use zarrs::metadata::Configuration;
use zarrs::metadata::v3::MetadataV3;
use zarrs::plugin::{
    ExtensionAliases, ExtensionAliasesConfig, ExtensionName, PluginConfigurationInvalidError,
    PluginCreateError, ZarrVersion, ZarrVersion3,
};
use zarrs::storage::StorageError;

use crate::configuration::CodecConfiguration;

inventory::submit! {
    CodecPluginV3::new::<ZarrsCodec>()
}

/// A GRIB codec as zarrs uses it.
#[derive(Debug, Clone)]
struct ZarrsCodec {
    configuration: CodecConfiguration,
}

/// What zarrs lets a program rename at run time. There is no name in it: names are those of
/// the linked codecs.
static ALIASES: LazyLock<RwLock<ExtensionAliasesConfig>> =
    LazyLock::new(|| RwLock::new(ExtensionAliasesConfig::new("", Vec::new(), Vec::new())));

impl ExtensionAliases<ZarrVersion3> for ZarrsCodec {
    fn aliases() -> RwLockReadGuard<'static, ExtensionAliasesConfig> {
        ALIASES.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn aliases_mut() -> RwLockWriteGuard<'static, ExtensionAliasesConfig> {
        ALIASES.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn matches_name(name: &str) -> bool {
        linked_codecs().any(|codec| codec.info().id == name)
    }
}

impl ExtensionName for ZarrsCodec {
    fn name(&self, version: ZarrVersion) -> Option<Cow<'static, str>> {
        match version {
            ZarrVersion::V2 => None,
            ZarrVersion::V3 => Some(Cow::Borrowed(self.configuration.codec().info().id)),
        }
    }
}

impl CodecTraitsV3 for ZarrsCodec {
    fn create(metadata: &MetadataV3) -> Result<Codec, PluginCreateError> {
        let entries = metadata.configuration().cloned().unwrap_or_default();
        let configuration = CodecConfiguration::new(metadata.name(), entries.into())
            .map_err(|error| PluginConfigurationInvalidError::new(error.to_string()))?;
        Ok(Codec::ArrayToBytes(Arc::new(Self { configuration })))
    }
}

impl CodecTraits for ZarrsCodec {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn configuration(
        &self,
        _version: ZarrVersion,
        _options: &CodecMetadataOptions,
    ) -> Option<Configuration> {
        Some(self.configuration.configuration().clone().into())
    }

    fn partial_decoder_capability(&self) -> PartialDecoderCapability {
        PartialDecoderCapability { partial_read: false, partial_decode: true }
    }

    fn partial_encoder_capability(&self) -> PartialEncoderCapability {
        PartialEncoderCapability { partial_encode: false }
    }
}

impl ArrayCodecTraits for ZarrsCodec {
    fn recommended_concurrency(
        &self,
        _shape: &[NonZeroU64],
        _data_type: &DataType,
    ) -> Result<RecommendedConcurrency, CodecError> {
        Ok(RecommendedConcurrency::new_maximum(1))
    }
}

#[async_trait::async_trait]
impl ArrayToBytesCodecTraits for ZarrsCodec {
    fn into_dyn(self: Arc<Self>) -> Arc<dyn ArrayToBytesCodecTraits> {
        self
    }

    fn encoded_representation(
        &self,
        _shape: &[NonZeroU64],
        _data_type: &DataType,
        _fill_value: &FillValue,
    ) -> Result<BytesRepresentation, CodecError> {
        Ok(BytesRepresentation::UnboundedSize)
    }

    fn encode<'a>(
        &self,
        _bytes: ArrayBytes<'a>,
        _shape: &[NonZeroU64],
        _data_type: &DataType,
        _fill_value: &FillValue,
        _options: &CodecOptions,
    ) -> Result<ArrayBytesRaw<'a>, CodecError> {
        let id = self.configuration.codec().info().id;
        Err(CodecError::Other(format!("the codec '{id}' is read-only: it does not encode GRIB")))
    }

    fn decode<'a>(
        &self,
        bytes: ArrayBytesRaw<'a>,
        shape: &[NonZeroU64],
        data_type: &DataType,
        _fill_value: &FillValue,
        _options: &CodecOptions,
    ) -> Result<ArrayBytes<'a>, CodecError> {
        self.values(&bytes, elements(shape)?, data_type, None)
    }

    fn partial_decoder(
        self: Arc<Self>,
        input_handle: Arc<dyn BytesPartialDecoderTraits>,
        shape: &[NonZeroU64],
        data_type: &DataType,
        fill_value: &FillValue,
        _options: &CodecOptions,
    ) -> Result<Arc<dyn ArrayPartialDecoderTraits>, CodecError> {
        Ok(Arc::new(PartialDecoder::new(self, input_handle, shape, data_type, fill_value)))
    }

    async fn async_partial_decoder(
        self: Arc<Self>,
        input_handle: Arc<dyn AsyncBytesPartialDecoderTraits>,
        shape: &[NonZeroU64],
        data_type: &DataType,
        fill_value: &FillValue,
        _options: &CodecOptions,
    ) -> Result<Arc<dyn AsyncArrayPartialDecoderTraits>, CodecError> {
        Ok(Arc::new(PartialDecoder::new(self, input_handle, shape, data_type, fill_value)))
    }
}

impl ZarrsCodec {
    /// The values of a chunk, or of a region of it, of which there are `elements`.
    fn values(
        &self,
        message: &[u8],
        elements: usize,
        data_type: &DataType,
        region: Option<&GridRegion>,
    ) -> Result<ArrayBytes<'static>, CodecError> {
        let decoded = if data_type.is::<Float32DataType>() {
            let mut values = zeroed(elements, 0.0_f32)?;
            self.decode_into(message, region, ValueBuffer::F32(&mut values))?;
            transmute_to_bytes_vec(values)
        } else if data_type.is::<Float64DataType>() {
            let mut values = zeroed(elements, 0.0_f64)?;
            self.decode_into(message, region, ValueBuffer::F64(&mut values))?;
            transmute_to_bytes_vec(values)
        } else if is_seconds(data_type) && !self.configuration.options().quantity.is_of_points() {
            let mut values = zeroed(elements, 0.0_f64)?;
            self.decode_into(message, region, ValueBuffer::F64(&mut values))?;
            #[expect(clippy::cast_possible_truncation, reason = "whole seconds of times")]
            transmute_to_bytes_vec(values.into_iter().map(|value| value as i64).collect::<Vec<_>>())
        } else {
            return Err(CodecError::UnsupportedDataType(
                data_type.clone(),
                format!(
                    "{} (it decodes to float32 and float64, times also to whole seconds)",
                    self.configuration.codec().info().id
                ),
            ));
        };
        Ok(ArrayBytes::from(decoded))
    }

    fn decode_into(
        &self,
        message: &[u8],
        region: Option<&GridRegion>,
        out: ValueBuffer<'_>,
    ) -> Result<(), CodecError> {
        let (codec, options) = (self.configuration.codec(), self.configuration.options());
        let result = match region {
            None => codec.decode_into(message, options, out),
            Some(region) => codec.decode_region_into(message, options, region, out),
        };
        result.map_err(|error| CodecError::Other(format!("codec '{}': {error}", codec.info().id)))
    }
}

/// Whether elements are whole seconds, or may be.
fn is_seconds(data_type: &DataType) -> bool {
    if data_type.is::<Int64DataType>() {
        return true;
    }
    let is_time =
        data_type.is::<NumpyDateTime64DataType>() || data_type.is::<NumpyTimeDelta64DataType>();
    is_time && {
        let configuration = data_type.configuration(ZarrVersion::V3);
        let is = |key: &str, value: serde_json::Value| configuration.get(key) == Some(&value);
        is("unit", "s".into()) && is("scale_factor", 1.into())
    }
}

/// Decodes parts of one chunk: of each message the rows that are needed.
struct PartialDecoder<I: ?Sized> {
    codec: Arc<ZarrsCodec>,
    input: Arc<I>,
    shape: Vec<NonZeroU64>,
    data_type: DataType,
    fill_value: FillValue,
}

impl<I: ?Sized> PartialDecoder<I> {
    fn new(
        codec: Arc<ZarrsCodec>,
        input: Arc<I>,
        shape: &[NonZeroU64],
        data_type: &DataType,
        fill_value: &FillValue,
    ) -> Self {
        let (data_type, fill_value) = (data_type.clone(), fill_value.clone());
        Self { codec, input, shape: shape.to_vec(), data_type, fill_value }
    }

    /// The elements of `indexer`, in its order.
    fn decode(
        &self,
        message: Option<ArrayBytesRaw<'_>>,
        indexer: &dyn Indexer,
    ) -> Result<ArrayBytes<'static>, CodecError> {
        let Some(message) = message else {
            let (data_type, fill_value) = (&self.data_type, &self.fill_value);
            return Ok(ArrayBytes::new_fill_value(data_type, indexer.len(), fill_value)?);
        };
        let shape: Vec<u64> = self.shape.iter().map(|length| length.get()).collect();
        let runs: Vec<_> = indexer.iter_contiguous_linearised_indices(&shape)?.collect();
        let columns = shape.last().map_or(1, |&columns| to_usize(columns));
        let rows = elements(&self.shape)? / columns;
        let region = region_of(&runs, [rows, columns]);
        let width = region.columns.len();
        let count = region.rows.len() * width;
        let values = self.codec.values(&message, count, &self.data_type, Some(&region))?;
        let wanted: u64 = runs.iter().map(|(_, length)| length).sum();
        let in_order = runs.is_sorted_by(|one, next| one.0 + one.1 <= next.0);
        if wanted == count as u64 && in_order {
            return Ok(values);
        }
        // Something else than a rectangle: its elements are taken from the rectangle.
        let values = values.into_fixed()?;
        let size = values.len() / count.max(1);
        let mut bytes = Vec::with_capacity(to_usize(wanted) * size);
        for (start, length) in runs {
            let (row, column) = (to_usize(start) / columns, to_usize(start) % columns);
            let first = (row - region.rows.start) * width + (column - region.columns.start);
            let run = values.get(first * size..(first + to_usize(length)) * size);
            bytes.extend_from_slice(run.unwrap_or_default());
        }
        Ok(ArrayBytes::from(bytes))
    }

    fn size_held(&self) -> usize {
        size_of::<Self>()
    }
}

impl<I: BytesPartialDecoderTraits + ?Sized + 'static> ArrayPartialDecoderTraits
    for PartialDecoder<I>
{
    fn data_type(&self) -> &DataType {
        &self.data_type
    }

    fn exists(&self) -> Result<bool, StorageError> {
        self.input.exists()
    }

    fn size_held(&self) -> usize {
        self.input.size_held() + self.size_held()
    }

    fn partial_decode(
        &self,
        indexer: &dyn Indexer,
        options: &CodecOptions,
    ) -> Result<ArrayBytes<'_>, CodecError> {
        self.decode(self.input.decode(options)?, indexer)
    }

    fn supports_partial_decode(&self) -> bool {
        true
    }
}

#[async_trait::async_trait]
impl<I: AsyncBytesPartialDecoderTraits + ?Sized + 'static> AsyncArrayPartialDecoderTraits
    for PartialDecoder<I>
{
    fn data_type(&self) -> &DataType {
        &self.data_type
    }

    async fn exists(&self) -> Result<bool, StorageError> {
        self.input.exists().await
    }

    fn size_held(&self) -> usize {
        self.input.size_held() + self.size_held()
    }

    async fn partial_decode<'a>(
        &'a self,
        indexer: &dyn Indexer,
        options: &CodecOptions,
    ) -> Result<ArrayBytes<'a>, CodecError> {
        self.decode(self.input.decode(options).await?, indexer)
    }

    fn supports_partial_decode(&self) -> bool {
        true
    }
}

/// The smallest rectangle that has all elements of the runs, which lie inside of `shape`.
fn region_of(runs: &[(u64, u64)], shape: [usize; 2]) -> GridRegion {
    let [_, columns] = shape;
    let mut region: Option<GridRegion> = None;
    for &(start, length) in runs.iter().filter(|(_, length)| *length > 0) {
        let (first, last) = (to_usize(start), to_usize(start + length - 1));
        let rows = first / columns..last / columns + 1;
        let columns = if rows.len() > 1 { 0..columns } else { first % columns..last % columns + 1 };
        region = Some(match region {
            None => GridRegion { shape, rows, columns },
            Some(region) => GridRegion {
                shape,
                rows: region.rows.start.min(rows.start)..region.rows.end.max(rows.end),
                columns: region.columns.start.min(columns.start)
                    ..region.columns.end.max(columns.end),
            },
        });
    }
    region.unwrap_or(GridRegion { shape, rows: 0..0, columns: 0..0 })
}

/// A length of a chunk that fits memory.
fn to_usize(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// The number of elements of a chunk of this shape.
fn elements(shape: &[NonZeroU64]) -> Result<usize, CodecError> {
    let elements = shape.iter().try_fold(1_usize, |product, length| {
        product.checked_mul(usize::try_from(length.get()).ok()?)
    });
    elements.ok_or_else(|| too_large(format_args!("shape {shape:?}")))
}

/// An array of this many elements.
fn zeroed<T: Clone>(elements: usize, zero: T) -> Result<Vec<T>, CodecError> {
    let mut values = Vec::new();
    if values.try_reserve_exact(elements).is_err() {
        return Err(too_large(format_args!("{elements} elements")));
    }
    values.resize(elements, zero);
    Ok(values)
}

fn too_large(what: std::fmt::Arguments<'_>) -> CodecError {
    CodecError::Other(format!("a chunk of {what} does not fit memory"))
}
