//! An error as one JSON object: what a binding reads instead of a getter for each field.

use serde_json::{Map, Value, json};

use crate::error::{Error, RouteAttempt};

impl Error {
    /// Everything that is known of the error as a JSON object: `kind`, `status` (the kind's number, its
    /// status in C), `phase`, `message`, `http_status`, `service_code`, `request_id`, `retry_after_ms`,
    /// `retryable`, `attempts`, `partial_text`, `body` (text; what is not UTF-8 becomes U+FFFD) and
    /// `route_attempts`. What is unknown is null; an empty body and no route are empty.
    pub fn to_json(&self) -> String {
        self.json_with_status(self.kind().number())
    }

    /// The same with a status of the C library's own, such as that of a dead handle.
    #[doc(hidden)]
    pub fn json_with_status(&self, status: i32) -> String {
        let mut object = Map::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("kind", json!(self.kind().name()));
        put("status", json!(status));
        put("phase", json!(self.phase().name()));
        put("message", json!(self.to_string()));
        put("http_status", json!(self.status()));
        put("service_code", json!(self.code()));
        put("request_id", json!(self.request_id()));
        let wait = self.retry_after().map(|wait| wait.as_millis() as u64);
        put("retry_after_ms", json!(wait));
        put("retryable", json!(self.retryable()));
        put("attempts", json!(self.attempts()));
        put("partial_text", json!(self.partial_text()));
        put("body", json!(String::from_utf8_lossy(self.body())));
        let attempts: Vec<Value> = self.route_attempts().iter().map(attempt).collect();
        put("route_attempts", Value::Array(attempts));
        Value::Object(object).to_string()
    }
}

fn attempt(attempt: &RouteAttempt) -> Value {
    json!({
        "member": attempt.member,
        "kind": attempt.kind.name(),
        "http_status": attempt.status,
        "request_id": attempt.request_id,
        "duration_ms": attempt.duration.as_millis() as u64,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::{ErrorKind, Phase};

    #[test]
    fn every_field_is_told_and_what_is_unknown_is_null() {
        let error = Error::new(ErrorKind::RateLimit, Phase::Answer, "too many \"requests\"")
            .with_status(429)
            .with_request_id(Some("abc"))
            .with_retry_after(Some(Duration::from_millis(1500)))
            .with_retryable(true)
            .with_attempts(2)
            .with_body(b"{\"a\": \xff}");
        let told: Value = serde_json::from_str(&error.to_json()).unwrap();
        assert_eq!(
            told,
            json!({
                "kind": "rate_limit",
                "status": 37,
                "phase": "answer",
                "message": error.to_string(),
                "http_status": 429,
                "service_code": null,
                "request_id": "abc",
                "retry_after_ms": 1500,
                "retryable": true,
                "attempts": 2,
                "partial_text": null,
                "body": "{\"a\": \u{fffd}}",
                "route_attempts": [],
            })
        );
    }
}
