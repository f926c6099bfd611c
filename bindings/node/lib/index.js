'use strict';

const { c } = require('./native.js');
const { classes } = require('./errors.js');
const { GigaChat, Router } = require('./provider.js');
const { ChatStream } = require('./calls.js');
const queue = require('./queue.js');

module.exports = {
  GigaChat,
  Router,
  ChatStream,
  ...classes,
  /** The native library's version. */
  version: () => c.version(),
  /** How many objects of the library this process holds, to find leaks. */
  liveHandles: () => Number(c.live_handles()) - queue.own(),
};
