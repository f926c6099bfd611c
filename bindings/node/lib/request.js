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

/** The handle of a request: a prompt, or a body of the wire format. The caller frees it. */
function requestOf(body, options = {}) {
  const wire = typeof body === 'string' ? { messages: [{ role: 'user', content: body }] } : body;
  const json = JSON.stringify(wire);
  const out = [null];
  const error = [null];
  check(c.request_from_json(json, bytes(json), out, error), error);
  apply(out[0], options);
  return out[0];
}

/** Applies the options of a call; a request that refuses one is freed. */
function apply(request, { signal, headers, ...rest }) {
  const options = headers === undefined ? rest : { ...rest, extraHeaders: headers };
  if (Object.keys(options).length === 0) return;
  const params = [null];
  const error = [null];
  try {
    check(c.params_new(params, error), error);
    setAll(c.params_set, params[0], options);
    check(c.request_set_params(request, params[0], error), error);
  } catch (why) {
    c.request_free(request);
    throw why;
  } finally {
    if (params[0] !== null) c.params_free(params[0]);
  }
}

module.exports = { requestOf, apply, setAll };
