//! Makes the sums of a changed image right again, so that a machine meets what was changed.

/// Bytes of a header; its own sum is its last word, that of what follows its fourth.
pub const HEADER_BYTES: usize = skiff_engine::HEADER_BYTES;
/// Where the sum of the words behind the header stands.
const BODY_SUM_AT: usize = 12;
/// Where the number of words stands.
const WORDS_AT: usize = 8;

fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(sum & 1));
        }
    }
    !sum
}

/// Makes both sums right.
pub fn mend(image: &mut [u8]) {
    let words = (image.len() / 4) as u32;
    image[WORDS_AT..WORDS_AT + 4].copy_from_slice(&words.to_le_bytes());
    let body = crc32(&image[HEADER_BYTES..]);
    image[BODY_SUM_AT..BODY_SUM_AT + 4].copy_from_slice(&body.to_le_bytes());
    let header = crc32(&image[..HEADER_BYTES - 4]);
    image[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&header.to_le_bytes());
}

/// Makes the sum of the header alone right, its bytes are as they are.
#[allow(dead_code, reason = "one of the two users needs it")]
pub fn mend_header(image: &mut [u8]) {
    let header = crc32(&image[..HEADER_BYTES - 4]);
    image[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&header.to_le_bytes());
}
