//! The rows (GigaChat REST reference, endpoints; what only one client program calls is said there).

use super::{
    CHAT, CHAT_V2, Clock, EMBEDDINGS, Events, Gives, HEALTH, MODEL, MODELS, Method, Operation,
    Routing, TOKENS_COUNT, Takes, any_json, anything, json,
};

/// Every operation, in the order in which a program meets them. The last two are any path.
pub static OPERATIONS: &[&Operation] = &[
    &CHAT,
    &CHAT_V2,
    &MODELS,
    &MODEL,
    &HEALTH,
    &EMBEDDINGS,
    &TOKENS_COUNT,
    &BALANCE,
    &FILES,
    &FILE,
    &FILE_UPLOAD,
    &FILE_CONTENT,
    &FILE_DELETE,
    &BATCHES,
    &BATCH_CREATE,
    &AI_CHECK,
    &FUNCTIONS_VALIDATE,
    &FUNCTIONS_CONVERT,
    &FILTER_CHECK,
    &GET,
    &POST,
];

/// The operation of this name, if there is one.
pub fn operation(name: &str) -> Option<&'static Operation> {
    OPERATIONS
        .iter()
        .copied()
        .find(|operation| operation.name == name)
}

/// A read of JSON that any member of a router can do.
const READ: Operation = Operation {
    name: "",
    method: Method::Post,
    path: "",
    takes: Takes::Json,
    gives: Gives::Json,
    events: None::<Events>,
    permit: false,
    clock: Clock::Call,
    repeatable: true,
    routing: Routing::AnyMember,
    since: "0.1",
    read: json,
};

/// A read of what one account has.
const OWN: Operation = Operation {
    method: Method::Get,
    takes: Takes::Nothing,
    routing: Routing::MemberOnly,
    ..READ
};

/// What is left of prepaid tokens.
static BALANCE: Operation = Operation {
    name: "balance",
    path: "/balance",
    ..OWN
};

/// The account's files.
static FILES: Operation = Operation {
    name: "files",
    path: "/files",
    ..OWN
};

/// What is known of one file.
static FILE: Operation = Operation {
    name: "file",
    path: "/files/{id}",
    ..OWN
};

/// Stores a file: the parts `purpose` and `file` of a form.
static FILE_UPLOAD: Operation = Operation {
    name: "file_upload",
    method: Method::Post,
    path: "/files",
    takes: Takes::Multipart,
    clock: Clock::Transfer,
    repeatable: false,
    ..OWN
};

/// A file's bytes.
static FILE_CONTENT: Operation = Operation {
    name: "file_content",
    path: "/files/{id}/content",
    gives: Gives::Bytes,
    clock: Clock::Transfer,
    read: anything,
    ..OWN
};

/// Deletes a file.
static FILE_DELETE: Operation = Operation {
    name: "file_delete",
    method: Method::Post,
    path: "/files/{id}/delete",
    repeatable: false,
    ..OWN
};

/// Batch jobs; with the query `batch_id` one of them.
static BATCHES: Operation = Operation {
    name: "batches",
    path: "/batches",
    read: any_json,
    ..OWN
};

/// Starts a batch job from JSON lines, by the query `method`.
static BATCH_CREATE: Operation = Operation {
    name: "batch_create",
    method: Method::Post,
    path: "/batches",
    takes: Takes::Bytes("application/octet-stream"),
    clock: Clock::Transfer,
    repeatable: false,
    ..OWN
};

/// Whether a text was written by a model.
static AI_CHECK: Operation = Operation {
    name: "ai_check",
    path: "/ai/check",
    ..READ
};

/// Whether a function's description is right; `errors` are what is wrong with it.
static FUNCTIONS_VALIDATE: Operation = Operation {
    name: "functions_validate",
    path: "/functions/validate",
    read: any_json,
    ..READ
};

/// Functions from an OpenAPI description.
static FUNCTIONS_CONVERT: Operation = Operation {
    name: "functions_convert",
    path: "/functions/convert",
    takes: Takes::Bytes("text/plain"),
    ..READ
};

/// Whether messages break the service's content rules.
static FILTER_CHECK: Operation = Operation {
    name: "filter_check",
    path: "/filter/check",
    ..READ
};

/// Any path.
pub(super) static GET: Operation = Operation {
    name: "get",
    path: "{path}",
    gives: Gives::Any,
    read: anything,
    ..OWN
};

/// Any path; what it does is not known, so it is not sent twice.
pub(super) static POST: Operation = Operation {
    name: "post",
    method: Method::Post,
    path: "{path}",
    takes: Takes::Any,
    gives: Gives::Any,
    repeatable: false,
    read: anything,
    ..OWN
};

#[cfg(test)]
mod tests {
    use super::{OPERATIONS, operation};
    use crate::api::{Clock, Method, Routing, Takes};

    #[test]
    fn each_row_has_a_name_of_its_own_and_a_place_of_its_own() {
        for (at, row) in OPERATIONS.iter().enumerate() {
            assert!(std::ptr::eq(operation(row.name).unwrap(), *row));
            let twin = OPERATIONS[..at].iter().find(|other| {
                other.method == row.method && other.path == row.path && other.clock == row.clock
            });
            assert!(twin.is_none(), "{} is {twin:?}", row.name);
        }
        assert!(operation("unheard_of").is_none());
    }

    #[test]
    fn what_changes_something_is_never_repeated_or_routed() {
        for name in ["file_upload", "file_delete", "batch_create", "post"] {
            let row = operation(name).unwrap();
            assert!(!row.repeatable, "{name}");
            assert_eq!(row.routing, Routing::MemberOnly, "{name}");
        }
    }

    #[test]
    fn only_generations_need_a_permit_and_only_posts_have_a_body() {
        for row in OPERATIONS {
            assert_eq!(row.permit, row.path.ends_with("/chat/completions"));
            assert!(row.method == Method::Post || row.takes == Takes::Nothing);
            assert_eq!(row.clock == Clock::Health, row.name == "health");
        }
    }
}
