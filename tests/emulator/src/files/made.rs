//! What chat makes: a small JPEG, or the smallest 3D model, each with the words in it that asked for it.

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::chat::MadeKind;

/// One grey square of 8 by 8 points.
const PICTURE: &[u8] = include_bytes!("picture.jpg");

/// File name, type and bytes of something made.
pub(crate) fn content_of(kind: MadeKind, asked: &str) -> (&'static str, &'static str, Bytes) {
    match kind {
        MadeKind::Image => ("image.jpg", "image/jpeg", picture(asked)),
        MadeKind::Model3d => ("model.glb", "model/gltf-binary", model(asked)),
    }
}

/// The words stand in a comment segment (`FF FE`) behind the start of the image.
fn picture(asked: &str) -> Bytes {
    let most = asked.floor_char_boundary(usize::from(u16::MAX) - 2);
    let comment = &asked.as_bytes()[..most];
    let mut bytes = BytesMut::from(&PICTURE[..2]);
    bytes.put_slice(&[0xff, 0xfe]);
    bytes.put_u16(u16::try_from(comment.len() + 2).unwrap_or(2));
    bytes.put_slice(comment);
    bytes.put_slice(&PICTURE[2..]);
    bytes.freeze()
}

/// glTF 2.0, binary: a header and one chunk of JSON, padded with spaces to four bytes.
fn model(asked: &str) -> Bytes {
    let mut json = serde_json::json!({"asset": {"version": "2.0", "extras": asked}}).to_string();
    while !json.len().is_multiple_of(4) {
        json.push(' ');
    }
    let length = u32::try_from(json.len()).unwrap_or(0);
    let mut bytes = BytesMut::from(&b"glTF"[..]);
    bytes.put_u32_le(2);
    bytes.put_u32_le(length + 20);
    bytes.put_u32_le(length);
    bytes.put_slice(b"JSON");
    bytes.put_slice(json.as_bytes());
    bytes.freeze()
}
