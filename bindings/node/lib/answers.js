// Answers and events, copied out of their handles.
'use strict';

const { c, text } = require('./native.js');
const { eventTypes } = require('./generated.js');

const known = (count) => (count < 0 ? undefined : Number(count));

function usageOf(kind, handle) {
  const totalTokens = known(c[`${kind}_total_tokens`](handle));
  if (totalTokens === undefined) return undefined;
  return {
    promptTokens: known(c[`${kind}_prompt_tokens`](handle)),
    completionTokens: known(c[`${kind}_completion_tokens`](handle)),
    totalTokens,
    precachedPromptTokens: known(c[`${kind}_precached_prompt_tokens`](handle)),
  };
}

const seconds = (microseconds) => Number(microseconds) / 1e6;

/** An answer; its handle is freed. */
function responseOf(handle) {
  const name = text(c.response_function_name, handle);
  const raw = text(c.response_body, handle);
  const response = {
    text: text(c.response_text, handle) ?? '',
    finishReason: text(c.response_finish_reason, handle) ?? '',
    model: text(c.response_model, handle) ?? '',
    functionCall: name === undefined ? undefined : { name, arguments: text(c.response_function_arguments, handle) ?? '' },
    functionsStateId: text(c.response_functions_state_id, handle),
    usage: usageOf('response', handle),
    requestId: text(c.response_request_id, handle),
    sessionId: text(c.response_session_id, handle),
    attempts: c.response_attempts(handle),
    timings: {
      queue: seconds(c.response_queue_us(handle)),
      token: seconds(c.response_token_us(handle)),
      firstByte: seconds(c.response_first_byte_us(handle)),
      firstContent: seconds(c.response_first_content_us(handle)),
      total: seconds(c.response_total_us(handle)),
    },
  };
  // The document is parsed when it is asked for.
  let parsed;
  Object.defineProperty(response, 'json', { enumerable: false, get: () => (parsed ??= raw ? JSON.parse(raw) : undefined) });
  Object.defineProperty(response, 'raw', { enumerable: false, value: raw ?? '' });
  c.response_free(handle);
  return response;
}

/** An event; its handle is freed. */
function eventOf(handle) {
  const type = eventTypes[c.event_kind(handle)] ?? 'unknown';
  const event = { type, text: text(c.event_text, handle), name: text(c.event_name, handle) };
  if (type === 'usage') event.usage = usageOf('event', handle);
  c.event_free(handle);
  return event;
}

module.exports = { responseOf, eventOf };
