// The C library's functions, through koffi. A handle is a 64-bit number, never an address: it stays a bigint.
'use strict';

const koffi = require('koffi');
const { functions } = require('./generated.js');

// The library that GIGACHAT_LIBRARY names, that of the platform's package, or the system's.
function open() {
  const named = process.env.GIGACHAT_LIBRARY;
  if (named) return koffi.load(named);
  const libc = process.platform === 'linux' ? (process.report?.getReport().header.glibcVersionRuntime ? '-gnu' : '-musl') : '';
  try {
    return koffi.load(require(`@libgigachat/${process.platform}-${process.arch}${libc}`));
  } catch (missing) {
    if (missing.code !== 'MODULE_NOT_FOUND') throw missing;
  }
  const name = { win32: 'gigachat-0.dll', darwin: 'libgigachat.0.dylib' }[process.platform] ?? 'libgigachat.so.0';
  try {
    return koffi.load(name);
  } catch (why) {
    throw new Error(`libgigachat cannot be loaded: install the package for this platform, or set GIGACHAT_LIBRARY to the library's path (${why.message})`);
  }
}

const library = open();
const c = {};
for (const [name, signature] of Object.entries(functions)) {
  // A function is looked up when it is first used, so that loading the package stays fast.
  Object.defineProperty(c, name, {
    configurable: true,
    get() {
      const value = library.func(signature);
      Object.defineProperty(c, name, { value });
      return value;
    },
  });
}

const length = [0];

/** A text that a handle lends, copied; undefined when there is none. */
function text(get, ...handles) {
  const pointer = get(...handles, length);
  return pointer ? koffi.decode.string(pointer, Number(length[0])) : undefined;
}

/** Floats that a handle lends, copied. */
const floats = (pointer, count) => Float32Array.from(koffi.decode(pointer, 'float', count));

module.exports = { c, text, floats, poll: koffi.node.poll, bytes: Buffer.byteLength };
