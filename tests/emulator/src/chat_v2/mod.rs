//! `POST /v2/chat/completions` (GigaChat REST reference, section 7 and addendum A3): read in `request`, refused in
//! `judge`, answered by `tools` and `answer`, written by `shape`; `threads` keeps conversations.

mod answer;
mod judge;
mod request;
mod shape;
mod threads;
mod tools;

use std::time::Duration;

use hyper::Method;

use crate::action::Action;
use crate::admit::Job;
use crate::call::Call;
use crate::chat::{self, Asker, stable_uuid};
use crate::files;
use crate::models;
use crate::oauth::unix_millis;
use crate::reply::Reply;
use crate::script::Answer;
use request::{Message, Request};
use shape::Frame;
pub(crate) use threads::Threads;

/// A request that is in order.
pub(crate) struct Chat {
    request: Request,
    model: String,
    /// What the thread that it continues holds.
    earlier: Vec<Message>,
}

pub(crate) fn admit(call: &Call) -> Result<Job, Reply> {
    call.expect(&Method::POST)?;
    let (request, model) = judge::read(&call.json_body()?, call.state.options.strict_schemas)?;
    files::may_attach(call, request.file_ids())?;
    let storage = request.storage.as_ref();
    let earlier = match storage.and_then(|storage| storage.thread_id.as_ref()) {
        Some(id) => {
            let kept = call.state.threads.messages(&call.client.name, id);
            kept.ok_or_else(|| Reply::error(404, "No such thread"))?
        }
        None => Vec::new(),
    };
    let chat = Chat {
        request,
        model,
        earlier,
    };
    Ok(Job::ChatV2(Box::new(chat), call.client.clone()))
}

impl Chat {
    pub fn streams(&self) -> bool {
        self.request.streams()
    }

    fn frame(&self, spoken: &answer::Spoken, prompt: (usize, usize), asker: &Asker) -> Frame {
        let offered = self
            .request
            .tools
            .as_ref()
            .is_some_and(|tools| !tools.is_empty());
        let ids = &asker.state.ids;
        let storage = self.request.storage.as_ref();
        let (input_tokens, cached_tokens) = prompt;
        // An error is not charged for (section 7.3).
        let failed = spoken.finish_reason == "error";
        Frame {
            model: models::versioned_chat_model(&self.model).unwrap_or_default(),
            created_at: unix_millis() / 1000,
            input_tokens: if failed { 0 } else { input_tokens },
            cached_tokens: if failed { 0 } else { cached_tokens },
            output_tokens: if failed { 0 } else { spoken.tokens() },
            state_id: offered.then(|| stable_uuid(&format!("state of {}", spoken.text))),
            thread_id: storage.map(|storage| match &storage.thread_id {
                Some(id) => id.clone(),
                None => ids.uuid().to_string(),
            }),
            message_id: storage.map(|_| ids.uuid().to_string()),
        }
    }
}

/// The answer to a request that is in order, scripted or generated.
pub(crate) fn reply(
    chat: &Chat,
    asker: &Asker,
    script: Option<Answer>,
    actions: &[Action],
) -> Reply {
    let request = &chat.request;
    if let Some(reply) = refused_role(request, actions) {
        return reply;
    }
    let mut conversation = request.as_v1(&chat.model, &chat.earlier);
    let spoken = match script {
        None => answer::answer(request, &mut conversation),
        Some(script) => match answer::scripted(script, request) {
            Ok(spoken) => spoken,
            Err(exact) => return chat::exact(exact),
        },
    };
    let input = chat::prompt_tokens(&conversation) + chat::function_tokens(&request.functions);
    let cached = chat::cached_tokens(&conversation, asker.headers);
    let frame = chat.frame(&spoken, (input, cached), asker);
    asker
        .client
        .spend(&chat.model, frame.input_tokens + frame.output_tokens);
    asker
        .state
        .counters
        .update(|counters| counters.chat_v2_requests += 1);
    if let Some(file) = &spoken.file {
        asker.keep(file);
    }
    if let Some(id) = &frame.thread_id {
        let mut messages = chat.earlier.clone();
        messages.extend(request.messages.iter().cloned());
        messages.push(spoken.message());
        asker.state.threads.keep(&asker.client.name, id, messages);
    }
    if !request.streams() {
        return shape::whole(&spoken, &frame);
    }
    let interval = request.options().update_interval.unwrap_or(0.0);
    let interval = Duration::try_from_secs_f64(interval).unwrap_or_default();
    shape::stream(&spoken, &frame, interval)
}

/// The sources disagree about the role of results (addendum A3.1): a fault refuses one of the two.
fn refused_role(request: &Request, actions: &[Action]) -> Option<Reply> {
    let refused = actions.iter().find_map(|action| match action {
        Action::RefuseRole { role } => Some(role),
        _ => None,
    })?;
    let comes = request
        .messages
        .iter()
        .any(|message| message.role == *refused);
    comes.then(|| Reply::error(400, "Your request contains invalid JSON syntax."))
}
