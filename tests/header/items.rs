//! The items of a header that cbindgen wrote: each comment with the declaration that follows it.

use serde_json::{Value, json};

/// One item of the header.
pub struct Item {
    /// The comment's text, its lines without their marks.
    pub doc: String,
    /// The comment as it is written.
    pub comment: String,
    /// The declaration as it is written.
    pub declaration: String,
    /// The declaration as one line.
    pub code: String,
}

impl Item {
    /// What is declared: a function, a type, a macro.
    pub fn name(&self) -> String {
        if let Some(rest) = self.code.strip_prefix("#define ") {
            return rest.split_whitespace().next().unwrap_or(rest).to_owned();
        }
        let head = match self.code.split_once("(*") {
            Some((_, rest)) => rest.split(')').next(),
            None => self.code.split(['(', ';']).next(),
        };
        typed(head.unwrap_or_default()).1
    }
}

/// Every item, in its order. Each is preceded by its comment and ends with a semicolon, or with
/// its line when it is a macro.
pub fn items(header: &str) -> Vec<Item> {
    let mut found = Vec::new();
    let mut lines = header.lines();
    let mut comment = Vec::new();
    while let Some(line) = lines.next() {
        if line.starts_with("/*") {
            comment = vec![line];
            while !comment.last().is_some_and(|line| line.contains("*/")) {
                comment.push(lines.next().expect("a comment ends"));
            }
        } else if line == "#define GIGACHAT_H" {
            comment.clear();
        } else if line.starts_with("#define GIGACHAT_")
            || line.starts_with("typedef")
            || line.starts_with("GIGACHAT_API")
        {
            let mut declaration = vec![line];
            while !line.starts_with('#')
                && !declaration.last().is_some_and(|line| line.ends_with(';'))
            {
                declaration.push(lines.next().expect("a declaration ends"));
            }
            let text: Vec<&str> = comment.iter().map(|line| plain(line)).collect();
            let code: Vec<&str> = declaration.iter().map(|line| line.trim()).collect();
            found.push(Item {
                doc: text.join("\n").trim().to_owned(),
                comment: comment.join("\n"),
                declaration: declaration.join("\n"),
                code: code.join(" "),
            });
            comment.clear();
        }
    }
    found
}

/// A line of a comment without what makes it one.
fn plain(line: &str) -> &str {
    let line = line.trim().trim_end_matches("*/");
    line.trim_start_matches(['/', '*']).trim()
}

/// `const char *text` as type and name.
pub fn typed(declaration: &str) -> (String, String) {
    let declaration = declaration.trim();
    let at = declaration
        .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
        .map_or(0, |at| at + 1);
    let (of, name) = declaration.split_at(at);
    (of.trim().to_owned(), name.to_owned())
}

fn parameters(list: &str) -> Vec<Value> {
    let list = list.trim();
    if list.is_empty() || list == "void" {
        return Vec::new();
    }
    let parameters = list.split(',').map(|parameter| {
        let (of, name) = typed(parameter);
        json!({ "name": name, "type": of })
    });
    parameters.collect()
}

/// A function: `GIGACHAT_API TYPE name(PARAMETERS);`.
pub fn function(item: &Item, chapter: &str) -> Value {
    let code = item.code.trim_start_matches("GIGACHAT_API").trim();
    let (head, list) = code.split_once('(').expect("a function has parameters");
    let (returns, name) = typed(head);
    let list = list.trim_end_matches(");");
    json!({
        "name": name,
        "chapter": chapter,
        "returns": returns,
        "parameters": parameters(list),
        "doc": item.doc,
    })
}

/// A callback: `typedef TYPE (*name)(PARAMETERS);`.
pub fn callback(item: &Item) -> Value {
    let code = item.code.trim_start_matches("typedef").trim();
    let (returns, rest) = code.split_once("(*").expect("a pointer to a function");
    let (name, list) = rest.split_once(")(").expect("a function has parameters");
    let list = list.trim_end_matches(");");
    json!({ "name": name, "returns": returns.trim(), "parameters": parameters(list), "doc": item.doc })
}

#[test]
fn a_declaration_is_read_with_its_parameters() {
    let header = "/**\n * A thing.\n */\nGIGACHAT_API\nconst char *gigachat_x(const gigachat_y *y,\n    size_t *length);\n";
    let items = items(header);
    let expected = json!({
        "name": "gigachat_x",
        "chapter": "Things",
        "returns": "const char *",
        "parameters": [
            { "name": "y", "type": "const gigachat_y *" },
            { "name": "length", "type": "size_t *" },
        ],
        "doc": "A thing.",
    });
    assert_eq!(function(&items[0], "Things"), expected);
    assert_eq!(items[0].name(), "gigachat_x");
}
