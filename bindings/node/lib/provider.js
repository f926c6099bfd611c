// Who answers: a client of the service, or a router over several.
'use strict';

const { c, text, bytes } = require('./native.js');
const { check, abortReason } = require('./errors.js');
const { ended, takeResponse, ChatStream } = require('./calls.js');
const { requestFor, requestOf, setAll } = require('./request.js');

const forgotten = new FinalizationRegistry((handle) => c.provider_free(handle));

class Provider {
  #handle;

  constructor(handle) {
    this.#handle = handle;
    forgotten.register(this, handle, this);
  }

  get handle() {
    if (this.#handle === undefined) throw new Error('the provider is closed');
    return this.#handle;
  }

  async chat(body, options) {
    return this.#perform(requestOf(body, options), options?.signal);
  }

  /** Answers a request, which is freed. */
  async #perform(request, signal) {
    try {
      const provider = this.handle;
      return await ended((call, error) => c.start(provider, request, call, error), takeResponse, signal);
    } finally {
      c.request_free(request);
    }
  }

  async generate(prompt, options) {
    return (await this.chat(prompt, options)).text;
  }

  stream(body, options) {
    if (options?.signal?.aborted) throw abortReason(options.signal);
    const provider = this.handle;
    const request = requestOf(body, options);
    const out = [null];
    const error = [null];
    try {
      check(c.open(provider, request, out, error), error);
    } finally {
      c.request_free(request);
    }
    return new ChatStream(out[0], options?.signal);
  }

  async healthCheck({ timeout, signal } = {}) {
    return (await this.#perform(requestFor('health', undefined, { timeout }), signal)).timings.total;
  }

  get permits() {
    const [limit, held, heldByStreams, waiting, error] = [[0], [0], [0], [0], [null]];
    check(c.provider_permits(this.handle, limit, held, heldByStreams, waiting, error), error);
    return { limit: limit[0], held: held[0], heldByStreams: heldByStreams[0], waiting: Number(waiting[0]) };
  }

  close() {
    if (this.#handle === undefined) return;
    forgotten.unregister(this);
    c.provider_free(this.#handle);
    this.#handle = undefined;
  }
}

for (const name of ['dispose', 'asyncDispose']) {
  const symbol = Symbol[name] ?? Symbol.for(`nodejs.${name}`);
  Provider.prototype[symbol] = name === 'dispose'
    ? function dispose() { this.close(); }
    : async function asyncDispose() { this.close(); };
}

class GigaChat extends Provider {
  /** Without options, from the GIGACHAT_* variables. */
  constructor(options) {
    super(configured(options === undefined ? c.config_from_env : c.config_new, options ?? {}));
  }

  /** From the GIGACHAT_* variables; options go before them. */
  static fromEnv(options = {}) {
    const handle = configured(c.config_from_env, options);
    return Object.setPrototypeOf(new Provider(handle), GigaChat.prototype);
  }
}

function configured(begin, options) {
  const config = [null];
  const provider = [null];
  const error = [null];
  check(begin(config, error), error);
  try {
    setAll(c.config_set, config[0], options);
    check(c.provider_new(config[0], provider, error), error);
  } finally {
    c.config_free(config[0]);
  }
  return provider[0];
}

class Router extends Provider {
  constructor(options = {}) {
    const settings = [null];
    const router = [null];
    const error = [null];
    check(c.router_options_new(settings, error), error);
    try {
      setAll(c.router_options_set, settings[0], options);
      check(c.router_new(settings[0], router, error), error);
    } finally {
      c.router_options_free(settings[0]);
    }
    super(router[0]);
  }

  /** Adds a member: a client or another router. Gives what `remove` takes. */
  add(member, { name = '', weight = 1 } = {}) {
    const id = [0];
    const error = [null];
    check(c.router_add(this.handle, member.handle, name, bytes(name), weight, id, error), error);
    return id[0];
  }

  remove(id) {
    const error = [null];
    check(c.router_remove(this.handle, id, error), error);
  }

  get metrics() {
    return JSON.parse(owned(c.router_metrics_json, this.handle));
  }

  get prometheus() {
    return owned(c.router_prometheus, this.handle);
  }
}

function owned(get, handle) {
  const out = [null];
  const error = [null];
  check(get(handle, out, error), error);
  const copied = text(c.text_data, out[0]);
  c.text_free(out[0]);
  return copied;
}

module.exports = { GigaChat, Router, Provider };
