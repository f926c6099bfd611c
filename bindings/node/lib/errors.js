// Errors: one base, one class a kind.
'use strict';

const { c, text } = require('./native.js');
const { errorKinds } = require('./generated.js');

class GigaChatError extends Error {
  constructor(told) {
    super(told.message);
    this.name = new.target.name;
    this.kind = told.kind;
    this.status = told.status;
    this.phase = told.phase;
    this.httpStatus = told.http_status ?? undefined;
    this.serviceCode = told.service_code ?? undefined;
    this.requestId = told.request_id ?? undefined;
    this.retryAfter = told.retry_after_ms == null ? undefined : told.retry_after_ms / 1000;
    this.retryable = told.retryable;
    this.attempts = told.attempts;
    this.partialText = told.partial_text ?? undefined;
    this.body = told.body;
    this.routeAttempts = told.route_attempts;
  }
}

const classes = { GigaChatError };
const byKind = {};
for (const [kind, name] of Object.entries(errorKinds)) {
  classes[name] = { [name]: class extends GigaChatError {} }[name];
  byKind[kind] = classes[name];
}

/** The error of a status and its handle, which is freed. */
function failure(status, handle) {
  if (!handle) {
    const name = c.status_name(status);
    return new GigaChatError({ kind: 'internal', status, phase: 'input', message: `status ${status} (${name})`, retryable: false, attempts: 0, body: '', route_attempts: [] });
  }
  const told = JSON.parse(text(c.error_json, handle));
  c.error_free(handle);
  return new (byKind[told.kind] ?? GigaChatError)(told);
}

/** Throws unless the status is 0. */
function check(status, error) {
  if (status !== 0) throw failure(status, error[0]);
}

const abortReason = (signal) => signal.reason ?? new DOMException('This operation was aborted', 'AbortError');

/** What a caller gets for a failure: the signal's reason if that is what cancelled. */
const because = (signal, error) => (signal?.aborted && error.kind === 'cancelled' ? abortReason(signal) : error);

module.exports = { classes, GigaChatError, failure, check, abortReason, because };
