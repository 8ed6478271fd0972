//! Numbers as GRIB2 writes them: most significant bit first, signs as a leading bit.

/// Packs numbers of any width up to 57 bits, most significant bit first.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// Bits not written yet, right-aligned; fewer than eight between calls.
    pending: u64,
    count: u32,
}

impl BitWriter {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), pending: 0, count: 0 }
    }

    /// Appends the low `width` bits of `value`, which has no bit above them.
    pub(super) fn put(&mut self, value: u64, width: u32) {
        debug_assert!(width <= 57 && (width == 64 || value >> width == 0));
        self.pending = (self.pending << width) | value;
        self.count += width;
        while self.count >= 8 {
            self.count -= 8;
            let [byte, ..] = (self.pending >> self.count).to_le_bytes();
            self.bytes.push(byte);
        }
    }

    /// Fills the last byte with zeros.
    pub(super) fn align(&mut self) {
        if self.count > 0 {
            self.put(0, 8 - self.count);
        }
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.align();
        self.bytes
    }
}

/// Bits that hold `value`: 0 for 0, 8 for 255.
pub(super) fn width_of(value: u64) -> u32 {
    u64::BITS - value.leading_zeros()
}

/// Sign and magnitude in one octet: GRIB2 writes no two's complement.
pub(super) fn signed8(value: i8) -> u8 {
    value.unsigned_abs() | if value < 0 { 0x80 } else { 0 }
}

/// Sign and magnitude in two octets.
pub(super) fn signed16(value: i16) -> [u8; 2] {
    (value.unsigned_abs() | if value < 0 { 0x8000 } else { 0 }).to_be_bytes()
}

/// Sign and magnitude in four octets.
pub(super) fn signed32(value: i32) -> [u8; 4] {
    (value.unsigned_abs() | if value < 0 { 0x8000_0000 } else { 0 }).to_be_bytes()
}
