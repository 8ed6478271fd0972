//! The adapter to [`zarrs`]: the one place that names its types.
//!
//! One plug-in stands for the codecs of all linked crates, whatever they are called. It
//! only reads: a chunk is a GRIB message that someone else has encoded.

use std::any::Any;
use std::borrow::Cow;
use std::num::NonZeroU64;
use std::sync::{Arc, LazyLock, RwLock, RwLockReadGuard, RwLockWriteGuard};

use gik_core::{ValueBuffer, linked_codecs};
use zarrs::array::codec::api::{
    ArrayBytes, ArrayBytesRaw, ArrayCodecTraits, ArrayToBytesCodecTraits, BytesRepresentation,
    Codec, CodecError, CodecMetadataOptions, CodecOptions, CodecPluginV3, CodecTraits,
    CodecTraitsV3, PartialDecoderCapability, PartialEncoderCapability, RecommendedConcurrency,
};
use zarrs::array::data_type::{Float32DataType, Float64DataType};
use zarrs::array::{DataType, FillValue, transmute_to_bytes_vec};
use zarrs::metadata::Configuration;
use zarrs::metadata::v3::MetadataV3;
use zarrs::plugin::{
    ExtensionAliases, ExtensionAliasesConfig, ExtensionName, PluginConfigurationInvalidError,
    PluginCreateError, ZarrVersion, ZarrVersion3,
};

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
        PartialDecoderCapability { partial_read: false, partial_decode: false }
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
        let decoded = if data_type.is::<Float32DataType>() {
            let mut values = zeroed(shape, 0.0_f32)?;
            self.decode_into(&bytes, ValueBuffer::F32(&mut values))?;
            transmute_to_bytes_vec(values)
        } else if data_type.is::<Float64DataType>() {
            let mut values = zeroed(shape, 0.0_f64)?;
            self.decode_into(&bytes, ValueBuffer::F64(&mut values))?;
            transmute_to_bytes_vec(values)
        } else {
            return Err(CodecError::UnsupportedDataType(
                data_type.clone(),
                format!(
                    "{} (it decodes to float32 and float64)",
                    self.configuration.codec().info().id
                ),
            ));
        };
        Ok(ArrayBytes::from(decoded))
    }
}

impl ZarrsCodec {
    fn decode_into(&self, message: &[u8], out: ValueBuffer<'_>) -> Result<(), CodecError> {
        self.configuration.decode_into(message, out).map_err(|error| {
            let id = self.configuration.codec().info().id;
            CodecError::Other(format!("codec '{id}': {error}"))
        })
    }
}

/// An array for a chunk of this shape.
fn zeroed<T: Clone>(shape: &[NonZeroU64], zero: T) -> Result<Vec<T>, CodecError> {
    let elements = shape.iter().try_fold(1_usize, |product, length| {
        product.checked_mul(usize::try_from(length.get()).ok()?)
    });
    let mut values = Vec::new();
    match elements {
        Some(elements) if values.try_reserve_exact(elements).is_ok() => {
            values.resize(elements, zero);
            Ok(values)
        }
        _ => Err(CodecError::Other(format!("a chunk of shape {shape:?} does not fit memory"))),
    }
}
