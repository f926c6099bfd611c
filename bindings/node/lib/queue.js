// One completion queue for each thread of JavaScript, made at the first call. Its descriptor is watched by the
// event loop, and holds the loop only while somebody waits, so that a program ends by itself.
'use strict';

const { c, poll } = require('./native.js');
const { check } = require('./errors.js');

const TAGS = 256;
const waiting = new Map();
const tags = new BigUint64Array(TAGS);
const count = [0];
let handle = null;
let watcher = null;
let last = 0;
let holders = 0;

function open() {
  const queue = [null];
  const descriptor = [0];
  const error = [null];
  check(c.queue_new(queue, error), error);
  check(c.queue_descriptor(queue[0], descriptor, error), error);
  handle = queue[0];
  watcher = poll(Number(descriptor[0]), { readable: true }, drain);
  watcher.unref();
}

function drain() {
  let taken;
  do {
    if (c.queue_take(handle, 0, tags, TAGS, count, [null]) !== 0) return;
    taken = Number(count[0]);
    for (let i = 0; i < taken; i++) waiting.get(Number(tags[i]))?.();
  } while (taken === TAGS);
}

/** A tag; `notify` is called on this thread whenever it comes. The table must not hold what the caller can
 *  abandon, or that is never collected: give it a function that knows no more than it needs. */
function watch(notify) {
  if (handle === null) open();
  const tag = ++last;
  waiting.set(tag, notify);
  return tag;
}

const forget = (tag) => waiting.delete(tag);

/** Somebody waits for a tag: the program does not end. */
function hold() {
  if (holders++ === 0) watcher.ref();
}

function release() {
  if (--holders === 0) watcher.unref();
}

module.exports = { watch, forget, hold, release, queue: () => handle, own: () => (handle === null ? 0 : 1) };
