//! `/files` (GigaChat REST reference, section 11 and addendum A5): upload in `upload`, memory in `store`, what
//! chat makes in `made`.
//!
//! A file belongs to an account; one that came with an `X-Client-ID` is there for the same id only.

mod made;
mod store;
mod upload;

use std::sync::Arc;

use hyper::Method;
use hyper::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::admit::Job;
use crate::call::{Call, not_found};
use crate::faults::Endpoint;
use crate::reply::Reply;
pub(crate) use made::content_of;
pub(crate) use store::{File, Owner, Store};

/// The largest upload that is read at all; the kinds have bounds of their own.
pub(crate) const MOST_UPLOAD_BYTES: usize = 48 << 20;

impl File {
    fn json(&self) -> Value {
        json!({"id": self.id, "object": "file", "bytes": self.content.len(),
            "created_at": self.created_at, "filename": self.filename, "purpose": self.purpose,
            "access_policy": "private", "modalities": null})
    }
}

/// `rest` is the path behind `files`.
pub(crate) fn admit(call: &Call, rest: &str) -> Result<Job, Reply> {
    let owner = Owner {
        account: call.client.name.clone(),
        user: call.user(),
    };
    if rest.is_empty() {
        return match *call.method {
            Method::POST => upload::admit(call, owner),
            _ => list(call, owner),
        };
    }
    let rest = rest.strip_prefix('/').ok_or_else(not_found)?;
    let (id, what) = rest.split_once('/').unwrap_or((rest, ""));
    let file = |call: &Call| {
        let found = call.state.files.find(&owner, id);
        found.ok_or_else(|| Reply::error(404, "No such file"))
    };
    match what {
        "" => {
            call.expect(&Method::GET)?;
            let file = file(call)?;
            let count = |counters: &mut crate::Counters| counters.files_requests += 1;
            Ok(call.job(Endpoint::Files, count, move |_| {
                Reply::json(200, &file.json())
            }))
        }
        "content" => {
            call.expect(&Method::GET)?;
            Ok(download(call, file(call)?))
        }
        "delete" => {
            call.expect(&Method::POST)?;
            let file = file(call)?;
            names_the_same(call, id)?;
            Ok(delete(call, owner, file))
        }
        _ => Err(not_found()),
    }
}

/// A file of another user cannot be attached. One that nobody has is let pass: what the service says to it is
/// not known.
pub(crate) fn may_attach<'a>(
    call: &Call,
    ids: impl Iterator<Item = &'a String>,
) -> Result<(), Reply> {
    let owner = Owner {
        account: call.client.name.clone(),
        user: call.user(),
    };
    for id in ids {
        if call.state.files.is_for_another_user(&owner, id) {
            return Err(Reply::error(404, "No such file"));
        }
    }
    Ok(())
}

fn list(call: &Call, owner: Owner) -> Result<Job, Reply> {
    call.expect(&Method::GET)?;
    let count = |counters: &mut crate::Counters| counters.files_requests += 1;
    Ok(call.job(Endpoint::Files, count, move |state| {
        let files = state.files.of(&owner);
        let data: Vec<Value> = files.iter().map(|file| file.json()).collect();
        Reply::json(200, &json!({"data": data}))
    }))
}

fn download(call: &Call, file: Arc<File>) -> Job {
    let count = |counters: &mut crate::Counters| {
        counters.files_requests += 1;
        counters.files_downloaded += 1;
    };
    call.job(Endpoint::Download, count, move |_| {
        Reply::bytes(200, file.content_type(), file.content.clone())
    })
}

/// The body may be empty, or a form with a part `file` that says the id again, as the official client sends.
fn names_the_same(call: &Call, id: &str) -> Result<(), Reply> {
    let is_form = call
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data"));
    if !is_form {
        return Ok(());
    }
    let parts = upload::parts(call)?;
    let named = parts.iter().find(|part| part.name == "file");
    match named.is_none_or(|part| part.content == id.as_bytes()) {
        true => Ok(()),
        false => Err(Reply::error(400, "the form names another file")),
    }
}

fn delete(call: &Call, owner: Owner, file: Arc<File>) -> Job {
    let count = |counters: &mut crate::Counters| {
        counters.files_requests += 1;
        counters.files_deleted += 1;
    };
    call.job(Endpoint::Files, count, move |state| {
        state.files.remove(&owner, &file.id);
        Reply::json(
            200,
            &json!({"id": file.id, "deleted": true, "access_policy": "private"}),
        )
    })
}
