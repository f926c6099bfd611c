//! What an ask is for, by a text: an operation's name, or a method and any path.

use super::{Ask, CHAT, OPERATIONS, operation};
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::option_table;

impl Ask {
    /// A request for what a text names: an operation of [`OPERATIONS`] (`balance`), or a method and
    /// any path of the service (`GET /balance`; see [`Ask::get`]). The empty text is `chat`.
    pub fn named(text: &str) -> Result<Ask> {
        if text.is_empty() {
            return Ok(Ask::new(&CHAT));
        }
        if let Some((method, path)) = text.split_once(' ') {
            let name = match method {
                "GET" => "get",
                "POST" => "post",
                _ => {
                    let method: String = method.chars().take(64).collect();
                    return Err(Error::invalid("method", method, "GET or POST"));
                }
            };
            let mut ask = Ask::named(name)?;
            ask.set_path("path", path)?;
            return Ok(ask);
        }
        operation(text).map(Ask::new).ok_or_else(|| {
            let names = || OPERATIONS.iter().map(|operation| operation.name);
            let known = names().map(|name| (name, name));
            let message = option_table::no_such("operation", text, known, names());
            Error::new(ErrorKind::InvalidRequest, Phase::Input, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Ask;

    fn name(text: &str) -> &'static str {
        Ask::named(text).unwrap().operation().name
    }

    #[test]
    fn an_operation_goes_by_its_name_and_any_path_by_method_and_path() {
        assert_eq!(name(""), "chat");
        assert_eq!(name("balance"), "balance");
        assert_eq!(name("GET /balance?x=1"), "balance");
        assert_eq!(name("GET /new/thing"), "get");
        assert_eq!(name("POST /new/thing"), "post");
    }

    #[test]
    fn an_unknown_name_is_told_of_the_one_that_was_meant() {
        let refused = |text| Ask::named(text).unwrap_err().message().to_owned();
        assert_eq!(
            refused("ballance"),
            "ballance: no such operation; did you mean balance?"
        );
        assert!(refused("token_count").ends_with("did you mean tokens_count?"));
        assert!(refused("nothing").contains("embeddings, tokens_count"));
        assert!(refused("PUT /x").contains("GET or POST"));
        assert!(refused("GET https://evil.example/").contains("without scheme"));
    }
}
