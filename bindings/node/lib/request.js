// Requests: the wire format, and what concerns one call.
'use strict';

const { c, bytes } = require('./native.js');
const { check } = require('./errors.js');

const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** An option's value as the library reads it. */
function written(value) {
  if (Array.isArray(value)) return value.join(',');
  if (value !== null && typeof value === 'object') return Object.entries(value).map(([name, text]) => `${name}: ${text}`).join('\n');
  return String(value);
}

/** Sets options by name. A value that is refused is told of by the function that uses the options next. */
function setAll(set, handle, options) {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const key = snake(name);
    const text = written(value);
    set(handle, key, bytes(key), text, bytes(text));
  }
}

/** The handle of a request for an operation; the caller frees it. What is refused is told of by the call. */
function requestFor(operation, json, { signal, headers, ...rest } = {}) {
  const out = [null];
  const error = [null];
  check(c.request_new(operation, bytes(operation), out, error), error);
  const request = out[0];
  if (json !== undefined) c.request_set_json(request, json, bytes(json));
  setAll(c.request_set, request, headers === undefined ? rest : { ...rest, extraHeaders: headers });
  return request;
}

/** The same for a chat: a prompt, or a body of the wire format. */
function requestOf(body, options) {
  const wire = typeof body === 'string' ? { messages: [{ role: 'user', content: body }] } : body;
  return requestFor('chat', JSON.stringify(wire), options);
}

module.exports = { requestFor, requestOf, setAll };
