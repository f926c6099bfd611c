// The Node side of the fault matrix (tests/behaviour): reads one command a line from stdin, performs it through
// the package, answers with one line of JSON. It decides nothing.
import readline from 'node:readline';
import { GigaChat, GigaChatError, liveHandles } from '../lib/index.mjs';

let client;

function failed(error, delivered = null) {
  if (!(error instanceof GigaChatError)) {
    return error.name === 'AbortError'
      ? { result: 'error', kind: 'cancelled', message: error.message, text: delivered }
      : { result: 'error', kind: 'not_ours', message: String(error?.stack) };
  }
  return {
    result: 'error',
    kind: error.kind,
    phase: error.phase,
    message: error.message,
    http: error.httpStatus ?? 0,
    code: error.serviceCode ?? 0,
    retry_after_ms: error.retryAfter === undefined ? -1 : Math.round(error.retryAfter * 1000),
    retryable: Number(error.retryable),
    attempts: error.attempts,
    request_id: Number(Boolean(error.requestId)),
    text: delivered,
    partial: error.partialText ?? null,
  };
}

function answered(response, text) {
  return { result: 'ok', text, attempts: response.attempts, request_id: Number(Boolean(response.requestId)) };
}

// Options come by the library's names; times are in milliseconds.
function open(...fields) {
  const options = { proxyFromEnvironment: false };
  for (const field of fields) {
    const at = field.indexOf('=');
    const name = field.slice(0, at);
    const value = field.slice(at + 1);
    if (name.endsWith('_ms')) options[name.slice(0, -3)] = Number(value) / 1000;
    else options[name] = value;
  }
  try {
    client = new GigaChat(options);
    return { result: 'ok' };
  } catch (error) {
    return failed(error);
  }
}

async function call(prompt, options) {
  try {
    const response = await client.chat(prompt, options);
    return answered(response, response.text);
  } catch (error) {
    return failed(error);
  }
}

async function stream(prompt, options) {
  let delivered = '';
  try {
    const events = client.stream(prompt, options);
    for await (const event of events) if (event.type === 'text') delivered += event.text;
    return answered(events.response, delivered);
  } catch (error) {
    return failed(error, delivered);
  }
}

async function cancelled(after, ask) {
  const abort = new AbortController();
  let begun = performance.now();
  const timer = setTimeout(() => {
    begun = performance.now();
    abort.abort();
  }, Number(after));
  const outcome = await ask({ signal: abort.signal });
  clearTimeout(timer);
  return { ...outcome, cancelled_within_ms: Math.round(performance.now() - begun) };
}

const verbs = {
  open,
  call,
  stream,
  cancel_call: (after, prompt) => cancelled(after, (options) => call(prompt, options)),
  cancel_stream: (after, prompt) => cancelled(after, (options) => stream(prompt, options)),
  async health() {
    try {
      await client.healthCheck();
      return { result: 'ok' };
    } catch (error) {
      return failed(error);
    }
  },
  async many(count, prompt) {
    const all = await Promise.allSettled(Array.from({ length: Number(count) }, () => client.generate(prompt)));
    const bad = all.filter(({ status }) => status === 'rejected');
    return { result: bad.length ? 'error' : 'ok', kind: bad[0]?.reason.kind ?? '', answered: all.length - bad.length };
  },
  close() {
    client.close();
    client = undefined;
    return { result: 'ok', live: liveHandles() };
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [verb, ...fields] = line.split('\t');
  const outcome = await verbs[verb](...fields);
  console.log(JSON.stringify(client ? { ...outcome, held: client.permits.held } : outcome));
}
