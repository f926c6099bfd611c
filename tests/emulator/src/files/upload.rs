//! `POST /files`: the form, its parts in any order, and how large which kind of file may be.

use bytes::Bytes;
use futures_util::FutureExt as _;
use hyper::Method;
use hyper::header::CONTENT_TYPE;

use super::{File, Owner};
use crate::admit::Job;
use crate::call::{Call, too_large};
use crate::faults::Endpoint;
use crate::reply::Reply;

/// GigaChat REST reference, section 11.
const MOST_AUDIO_BYTES: usize = 35 << 20;
const MOST_IMAGE_BYTES: usize = 15 << 20;
const MOST_TEXT_BYTES: usize = 40 << 20;

/// Name endings and types, for parts that come without one.
const TYPES: [(&str, &str); 10] = [
    (".jpg", "image/jpeg"),
    (".jpeg", "image/jpeg"),
    (".png", "image/png"),
    (".tiff", "image/tiff"),
    (".bmp", "image/bmp"),
    (".mp3", "audio/mp3"),
    (".mp4", "audio/mp4"),
    (".m4a", "audio/x-m4a"),
    (".wav", "audio/wav"),
    (".ogg", "audio/x-ogg"),
];

pub(super) struct Part {
    pub name: String,
    pub filename: Option<String>,
    pub mime: Option<String>,
    pub content: Bytes,
}

pub(super) fn admit(call: &Call, owner: Owner) -> Result<Job, Reply> {
    call.expect(&Method::POST)?;
    let mut parts = parts(call)?;
    let place = parts.iter().position(|part| part.name == "file");
    let part = parts.swap_remove(place.ok_or_else(|| bad("file is required"))?);
    let purpose = parts.iter().find(|part| part.name == "purpose");
    let purpose = purpose.ok_or_else(|| bad("purpose is required"))?;
    let purpose = String::from_utf8_lossy(&purpose.content).into_owned();
    if !["general", "assistant"].contains(&purpose.as_str()) {
        return Err(bad(&format!("unknown purpose {purpose:?}")));
    }
    let filename = part.filename.unwrap_or_else(|| "upload".to_owned());
    let mime = type_of(part.mime.as_deref(), &filename);
    if part.content.is_empty() {
        return Err(bad("the file is empty"));
    }
    if part.content.len() > most_bytes(&mime) {
        return Err(too_large());
    }
    let id = call.state.ids.uuid().to_string();
    let mut file = File::new(owner, id, filename, &mime, part.content);
    file.purpose = purpose;
    let count = |counters: &mut crate::Counters| {
        counters.files_requests += 1;
        counters.files_uploaded += 1;
    };
    Ok(call.job(Endpoint::Upload, count, move |state| {
        Reply::json(200, &state.files.keep(file).json())
    }))
}

fn bad(problem: &str) -> Reply {
    Reply::error(400, &format!("Bad request: {problem}"))
}

fn type_of(told: Option<&str>, filename: &str) -> String {
    if let Some(told) = told.filter(|told| *told != "application/octet-stream") {
        return told.to_owned();
    }
    let lower = filename.to_lowercase();
    let known = TYPES.iter().find(|(end, _)| lower.ends_with(end));
    known
        .map_or("application/octet-stream", |(_, mime)| mime)
        .to_owned()
}

fn most_bytes(mime: &str) -> usize {
    match mime.split('/').next() {
        Some("image") => MOST_IMAGE_BYTES,
        Some("audio") => MOST_AUDIO_BYTES,
        _ => MOST_TEXT_BYTES,
    }
}

/// The parts of the form; 400 if it is none or breaks off.
pub(super) fn parts(call: &Call) -> Result<Vec<Part>, Reply> {
    let kind = call
        .headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let boundary = multer::parse_boundary(kind.unwrap_or_default())
        .map_err(|_| bad("Content-Type must be multipart/form-data"))?;
    let body = call.body()?;
    let body = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(body)]);
    // Everything is here already, so that nothing is waited for.
    let read = read(multer::Multipart::new(body, boundary)).now_or_never();
    match read {
        Some(Ok(parts)) => Ok(parts),
        Some(Err(problem)) => Err(bad(&problem.to_string())),
        None => Err(bad("the form breaks off")),
    }
}

async fn read(mut form: multer::Multipart<'_>) -> multer::Result<Vec<Part>> {
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().await? {
        parts.push(Part {
            name: field.name().unwrap_or_default().to_owned(),
            filename: field.file_name().map(str::to_owned),
            mime: field.content_type().map(ToString::to_string),
            content: field.bytes().await?,
        });
    }
    Ok(parts)
}
