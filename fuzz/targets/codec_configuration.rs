//! The codec's entry in a `zarr.json`: any JSON is taken or refused, and what is taken
//! comes back as it was.
#![no_main]

use gik_codec::CodecConfiguration;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(entry) = serde_json::from_slice::<Value>(bytes) else { return };
    match CodecConfiguration::from_json(&entry) {
        Ok(read) => {
            let again = CodecConfiguration::from_json(&read.to_json()).unwrap();
            assert_eq!(again.options(), read.options());
            assert_eq!(again.configuration(), read.configuration());
            assert_eq!(again.to_json(), read.to_json());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
