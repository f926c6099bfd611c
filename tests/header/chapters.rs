//! The chapters of the header, in the order in which a program meets the objects, and the layout:
//! cbindgen gives the items, this puts each into its chapter, its free function last.

use super::items::{Item, items};

/// A chapter: its title, what stands at its beginning, and the beginnings of the names in it.
pub struct Chapter {
    pub title: &'static str,
    intro: &'static str,
    names: &'static [&'static str],
}

/// A name belongs to the chapter with the longest of these beginnings.
pub const CHAPTERS: &[Chapter] = &[
    Chapter {
        title: "Statuses",
        intro: "What functions return.",
        names: &[
            "gigachat_status",
            "GIGACHAT_OK",
            "GIGACHAT_STREAM_END",
            "GIGACHAT_NOT_YET",
            "GIGACHAT_ERROR_",
        ],
    },
    Chapter {
        title: "Errors",
        intro: "First look at the status of a function, then ask the error handle for what it knows, then\n\
                gigachat_error_free.",
        names: &["gigachat_error_"],
    },
    Chapter {
        title: "Configuration",
        intro: "First gigachat_config_new or gigachat_config_from_env, then setters, then\n\
                gigachat_provider_new, then gigachat_config_free. A program that is configured by its\n\
                environment alone needs none of it: gigachat_provider_from_env.",
        names: &["gigachat_config_"],
    },
    Chapter {
        title: "Providers",
        intro: "First make one: over the service, as a router of others, or of functions of the program's.\n\
                Then call it from any thread for as long as the program likes, then gigachat_provider_free.\n\
                Providers with equal configurations share their connections, access token and permits.",
        names: &["gigachat_provider_"],
    },
    Chapter {
        title: "Parameters of a call",
        intro: "What a call sets for itself, for prompts and requests alike. First gigachat_params_new, then\n\
                setters, then any number of calls, then gigachat_params_free.",
        names: &["gigachat_params_"],
    },
    Chapter {
        title: "Requests",
        intro: "What is more than a prompt: a conversation, functions, and every other operation of the\n\
                service. First gigachat_request_new, which names the operation, then what belongs to it,\n\
                then any number of calls, then gigachat_request_free.",
        names: &["gigachat_request_"],
    },
    Chapter {
        title: "Blocking calls",
        intro: "The function returns when the answer is there. A token made with gigachat_cancel_new ends\n\
                it from another thread.",
        names: &[
            "gigachat_generate",
            "gigachat_perform",
            "gigachat_health_check",
            "gigachat_cancel_",
        ],
    },
    Chapter {
        title: "Answers",
        intro: "First a call that succeeded, then whatever of its answer is of interest, then\n\
                gigachat_response_free.",
        names: &["gigachat_response_", "gigachat_text_"],
    },
    Chapter {
        title: "Streams",
        intro: "First open one, then gigachat_stream_next_text (or gigachat_stream_next, for more than the\n\
                text) until GIGACHAT_STREAM_END, then gigachat_stream_response for what the answer was as a\n\
                whole, then gigachat_stream_free.",
        names: &[
            "gigachat_generate_stream",
            "gigachat_open",
            "gigachat_stream_",
            "gigachat_event_",
            "GIGACHAT_EVENT_",
        ],
    },
    Chapter {
        title: "Calls that run in the background",
        intro: "First start one, then wait for it (gigachat_call_wait), be called back\n\
                (gigachat_call_on_done) or attach it to a queue, then gigachat_call_take for its result,\n\
                then gigachat_call_free.",
        names: &[
            "gigachat_generate_start",
            "gigachat_start",
            "gigachat_call_",
        ],
    },
    Chapter {
        title: "Completion queues",
        intro: "For programs with an event loop. First gigachat_queue_new, then watch its descriptor for\n\
                reading, then attach calls and streams with a tag each, then, whenever it is readable,\n\
                gigachat_queue_take until GIGACHAT_NOT_YET, then gigachat_queue_free.",
        names: &["gigachat_queue_"],
    },
    Chapter {
        title: "Routers",
        intro: "A router combines several keys, scopes and models into one provider. First\n\
                gigachat_router_options_new and its settings, then gigachat_router_new, then\n\
                gigachat_router_add for each member, then calls as to any provider.",
        names: &["gigachat_router_"],
    },
    Chapter {
        title: "Custom providers",
        intro: "A provider that the program answers itself. First gigachat_custom_options_new, then its\n\
                callbacks, then gigachat_custom_new; for each request a callback runs, which answers\n\
                through a reply.",
        names: &["gigachat_custom_", "gigachat_reply_"],
    },
    Chapter {
        title: "The log",
        intro: "What the library has to say beside results, for a callback of the program's.",
        names: &[
            "gigachat_set_log_callback",
            "gigachat_log_",
            "GIGACHAT_LOG_",
        ],
    },
    Chapter {
        title: "The process",
        intro: "Settings of the whole process come first, before any other use; gigachat_shutdown comes last,\n\
                for programs that want every thread gone.",
        names: &[
            "gigachat_version",
            "gigachat_abi_version",
            "gigachat_live_handles",
            "gigachat_shutdown",
            "gigachat_set_",
            "gigachat_thread_",
        ],
    },
];

/// The chapter that a name belongs to.
pub fn chapter(name: &str) -> &'static Chapter {
    let fits = |beginning: &&str| name.starts_with(*beginning);
    let longest = |chapter: &&Chapter| {
        let fitting = chapter
            .names
            .iter()
            .copied()
            .filter(|beginning| fits(beginning));
        fitting.map(str::len).max().unwrap_or(0)
    };
    let chapter = CHAPTERS
        .iter()
        .max_by_key(longest)
        .expect("there are chapters");
    assert!(
        longest(&chapter) > 0,
        "{name} belongs to no chapter; see tests/header/chapters.rs"
    );
    chapter
}

fn comment(text: &str) -> String {
    let lines = text
        .lines()
        .map(|line| format!(" * {line}").trim_end().to_owned());
    let lines: Vec<String> = lines.collect();
    format!("/**\n{}\n */\n", lines.join("\n"))
}

fn heading(title: &str, intro: &str) -> String {
    let group: String = title
        .chars()
        .map(|c| {
            if c.is_ascii_alphabetic() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    let rule = "-".repeat(96);
    let text = format!("@defgroup gigachat_{group} {title}\n\n{intro}\n\n@{{");
    format!("/* {rule} */\n\n{}\n", comment(&text))
}

/// Where the items begin in what cbindgen gives.
const MARK: &str = "/* the items */\n";

const END: &str = "/** @} */\n\n\n";

/// The header of what cbindgen gave: the book text, the objects, then the chapters.
pub fn laid_out(generated: &str) -> String {
    let (begin, rest) = generated
        .split_once(MARK)
        .expect("cbindgen.toml marks where the items begin");
    let items = items(rest);
    let mut text = begin.trim_end().to_owned();
    text += "\n\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n\n";
    let (objects, rest): (Vec<&Item>, Vec<&Item>) = items.iter().partition(|item| is_object(item));
    text += &heading(
        "The objects",
        "Each is made by a function whose name ends in _new, _from_env, _start or _open, or is handed out\n\
         as a result; the chapters after this one meet them in turn.",
    );
    for item in objects {
        write(&mut text, item);
    }
    text += END;
    for chapter in CHAPTERS {
        let inside = |item: &&&Item| self::chapter(&item.name()).title == chapter.title;
        let inside: Vec<&&Item> = rest.iter().filter(inside).collect();
        if inside.is_empty() {
            continue;
        }
        text += &heading(chapter.title, chapter.intro);
        let frees = |item: &&&&Item| item.name().ends_with("_free");
        for item in inside.iter().filter(|item| !frees(item)) {
            write(&mut text, item);
        }
        for item in inside.iter().filter(frees) {
            write(&mut text, item);
        }
        text += END;
    }
    text + "#ifdef __cplusplus\n} /* extern \"C\" */\n#endif\n\n#endif /* GIGACHAT_H */\n"
}

/// Whether it stands before the chapters: what several of them take.
pub fn is_object(item: &Item) -> bool {
    item.code.starts_with("typedef struct") || item.name() == "gigachat_destroy_callback"
}

fn write(text: &mut String, item: &Item) {
    *text += &item.comment;
    *text += "\n";
    *text += &item.declaration;
    *text += "\n\n";
}
