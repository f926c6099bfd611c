// Writes lib/generated.js, lib/generated.d.ts and lib/index.mjs from the library's description, api/gigachat.json: the C
// functions' types, error classes, options, event types, strategies.
//
//   node generate.mjs            rewrites them
//   node generate.mjs --check    fails when one is behind the description
import fs from 'node:fs';
import process from 'node:process';

const here = new URL('.', import.meta.url);
const description = JSON.parse(fs.readFileSync(new URL('../../api/gigachat.json', here), 'utf8'));

const camel = (name) => name.replace(/[_ -]+([a-z0-9])/g, (_, letter) => letter.toUpperCase());
const pascal = (name) => camel(`_${name}`);

// Functions that take callbacks are not for JavaScript: its threads wait on queues.
const callbacks = new Set(description.callbacks.map((callback) => callback.name));

function parameter({ name, type }) {
  const plain = type.replace(/\bconst\b/g, '').replace(/\s+/g, ' ').trim();
  if (plain === 'char *' && type.includes('const')) return `const char *${name}`;
  if (/^(gigachat_\w+|char) \*\*$/.test(plain)) return `_Out_ void **${name}`;
  if (/^gigachat_(status|event_type|log_level)$/.test(plain)) return `int32_t ${name}`;
  if (/^gigachat_\w+ \*$/.test(plain) || plain === 'void *') return `void *${name}`;
  if (name === 'tags') return `void *${name}`;
  if (/ \*$/.test(plain)) return `_Out_ ${plain.replace(' *', '')} *${name}`;
  return `${plain} ${name}`;
}

// A text without a length ends with a NUL, and koffi copies it.
function result(type, parameters) {
  if (type === 'const char *' && !parameters.some(({ name }) => name === 'length')) return type;
  if (/^gigachat_(status|event_type|log_level)$/.test(type)) return 'int32_t';
  return type === 'const char *' || type === 'const float *' ? 'void *' : type;
}

function functions() {
  const rows = description.functions
    .filter(({ parameters }) => !parameters.some(({ type }) => callbacks.has(type)))
    .map(({ name, returns, parameters }) => {
      const list = parameters.map(parameter).join(', ');
      return `  ${name.replace('gigachat_', '')}: '${result(returns, parameters)} ${name}(${list})',`;
    });
  return `exports.functions = {\n${rows.join('\n')}\n};\n`;
}

const KINDS = description.error_kinds.map(({ name, doc }) => ({ name, doc, class: `${pascal(name)}Error`}));

// How a unit is written in TypeScript.
const TYPES = { seconds: 'number', count: 'number', bytes: 'number', number: 'number', boolean: 'boolean', 'host names': 'string[]', headers: 'Record<string, string>' };

const doc = (text, indent = '') => `${indent}/** ${text.replace(/\s+/g, ' ').replace(/\*\//g, '* /').trim()} */\n`;

function options(name, about, rows) {
  const fields = rows.map((row) => `${doc(row.doc, '  ')}  ${camel(row.name)}?: ${TYPES[row.unit] ?? 'string'};\n`);
  return `${doc(about)}export interface ${name} {\n${fields.join('')}}\n\n`;
}

const js = `// Made from api/gigachat.json by generate.mjs. Do not edit.
'use strict';

${functions()}
exports.options = ${JSON.stringify(description.options.map(({ name }) => camel(name)))};
exports.routerOptions = ${JSON.stringify(description.router_options.map(({ name }) => camel(name)))};
exports.errorKinds = ${JSON.stringify(Object.fromEntries(KINDS.map((kind) => [kind.name, kind.class])), null, 2)};
exports.eventTypes = ${JSON.stringify(Object.fromEntries(description.events.map(({ name, value }) => [value, camel(name)])), null, 2)};
`;

const dts = `// Made from api/gigachat.json by generate.mjs. Do not edit.
${options('GigaChatOptions', 'How a client is configured. What is not given keeps its default. Times are in seconds.', description.options)}${options('RouterOptions', 'How a router works. What is not given keeps its default. Times are in seconds.', description.router_options)}/** What kind a failure is. */
export type ErrorKind = ${KINDS.map(({ name }) => `'${name}'`).join(' | ')};

/** What an event of a stream is. Newer kinds may come: skip those that are unknown. */
export type EventType = ${description.events.map(({ name }) => `'${camel(name)}'`).join(' | ')};

import { GigaChatError } from './index';
${KINDS.map((kind) => `${doc(kind.doc)}export class ${kind.class} extends GigaChatError {}\n`).join('')}`;

// An ES module names its exports.
const mjs = `// Made from api/gigachat.json by generate.mjs. Do not edit.
import api from './index.js';

export default api;
export const {
  GigaChat, Router, ChatStream, GigaChatError, version, liveHandles,
${KINDS.map((kind) => `  ${kind.class},\n`).join('')}} = api;
`;

let behind = false;
for (const [name, text] of [['lib/generated.js', js], ['lib/generated.d.ts', dts], ['lib/index.mjs', mjs]]) {
  const file = new URL(name, here);
  if (process.argv.includes('--check')) {
    if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text) {
      console.error(`${name} is behind api/gigachat.json: node generate.mjs`);
      behind = true;
    }
  } else fs.writeFileSync(file, text);
}
process.exitCode = behind ? 1 : 0;
