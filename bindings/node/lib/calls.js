// Calls and streams as promises and async iterators, with AbortSignal.
'use strict';

const { c } = require('./native.js');
const { check, failure, abortReason, because } = require('./errors.js');
const queue = require('./queue.js');
const { responseOf, eventOf } = require('./answers.js');

const OK = 0;
const STREAM_END = 1;
const NOT_YET = 2;

/** The promise of a call that `start` begins; `take` gets its result when it has ended. */
function ended(start, take, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortReason(signal));
      return;
    }
    const out = [null];
    const error = [null];
    check(start(out, error), error);
    const call = out[0];
    const abort = signal && (() => c.call_cancel(call, [null]));
    const tag = queue.watch(() => {
      queue.forget(tag);
      queue.release();
      signal?.removeEventListener('abort', abort);
      try {
        resolve(take(call));
      } catch (why) {
        reject(because(signal, why));
      } finally {
        c.call_free(call);
      }
    });
    const status = c.call_attach(call, queue.queue(), tag, error);
    if (status !== OK) {
      queue.forget(tag);
      c.call_free(call);
      reject(failure(status, error[0]));
      return;
    }
    queue.hold();
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** The answer of an ended call. */
function takeResponse(call) {
  const out = [null];
  const error = [null];
  check(c.call_take(call, out, error), error);
  return responseOf(out[0]);
}

// A stream that nobody holds any more is cancelled.
const abandoned = new FinalizationRegistry(({ handle, tag }) => {
  queue.forget(tag);
  c.stream_free(handle);
});

class ChatStream {
  #handle;
  #tag;
  #signal;
  #abort;
  #response;
  #state = { ready: false, wake: undefined };

  constructor(handle, signal) {
    this.#handle = handle;
    this.#signal = signal;
    const state = this.#state;
    this.#tag = queue.watch(() => {
      state.ready = true;
      state.wake?.();
    });
    const error = [null];
    check(c.stream_attach(handle, queue.queue(), this.#tag, error), error);
    if (signal) {
      this.#abort = () => c.stream_cancel(handle, [null]);
      signal.addEventListener('abort', this.#abort, { once: true });
    }
    abandoned.register(this, { handle, tag: this.#tag }, this);
  }

  get response() {
    return this.#response;
  }

  close() {
    if (this.#handle === undefined) return;
    abandoned.unregister(this);
    queue.forget(this.#tag);
    this.#signal?.removeEventListener('abort', this.#abort);
    c.stream_free(this.#handle);
    this.#handle = undefined;
    this.#state.wake?.();
  }

  async next() {
    const out = [null];
    const error = [null];
    while (this.#handle !== undefined) {
      this.#state.ready = false;
      const status = c.stream_next(this.#handle, 0, out, error);
      if (status === OK) return { value: eventOf(out[0]), done: false };
      if (status === NOT_YET) {
        if (!this.#state.ready) await this.#woken();
        continue;
      }
      if (status === STREAM_END) {
        check(c.stream_response(this.#handle, out, error), error);
        this.#response = responseOf(out[0]);
        this.close();
        break;
      }
      const signal = this.#signal;
      this.close();
      throw because(signal, failure(status, error[0]));
    }
    return { value: undefined, done: true };
  }

  // A stream holds the program only while it is read.
  async #woken() {
    queue.hold();
    await new Promise((wake) => { this.#state.wake = wake; });
    this.#state.wake = undefined;
    queue.release();
  }

  async return() {
    this.close();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}

for (const name of ['dispose', 'asyncDispose']) {
  const symbol = Symbol[name] ?? Symbol.for(`nodejs.${name}`);
  ChatStream.prototype[symbol] = name === 'dispose'
    ? function dispose() { this.close(); }
    : async function asyncDispose() { this.close(); };
}

module.exports = { ended, takeResponse, ChatStream };
