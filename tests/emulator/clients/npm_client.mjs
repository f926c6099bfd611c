// The official TypeScript client, npm `gigachat`, against the emulator: each of its calls.

import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { createRequire } from 'node:module';

const require = createRequire(`${process.cwd()}/`);
const { GigaChat, detectImage } = require('gigachat');
const { version } = JSON.parse(readFileSync('node_modules/gigachat/package.json', 'utf8'));

const { env } = process;
const httpsAgent = new Agent({ ca: readFileSync(env.GIGACHAT_CA_BUNDLE_FILE) });
const settings = { baseUrl: env.GIGACHAT_BASE_URL, authUrl: env.GIGACHAT_AUTH_URL, model: 'GigaChat-2-Max', httpsAgent };
const person = new GigaChat({ ...settings, credentials: env.GIGACHAT_CREDENTIALS, scope: 'GIGACHAT_API_PERS' });
const firm = new GigaChat({ ...settings, credentials: env.GIGACHAT_EMULATOR_CREDENTIALS_CORP, scope: 'GIGACHAT_API_CORP' });

const weather = {
  name: 'get_weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

function assert(condition, problem) {
  if (!condition) throw new Error(problem ?? 'not so');
}

function user(content, fields = {}) {
  return { messages: [{ role: 'user', content }], ...fields };
}

async function finished(id) {
  for (let look = 0; look < 5; look += 1) {
    const status = await firm.getBatchStatus(id);
    if (status.status === 'completed') return status;
  }
  throw new Error('the batch does not end');
}

const checks = {
  async chat() {
    const answer = await person.chat(user('repeat: one'));
    assert(answer.choices[0].message.content === 'one');
    assert(answer.usage.total_tokens > 0);
  },
  async stream() {
    let text = '';
    for await (const chunk of person.stream(user('count to 5'))) text += chunk.choices[0]?.delta.content ?? '';
    assert(text === '1, 2, 3, 4, 5', text);
  },
  async functions() {
    const answer = await person.chat(user('Omsk', { functions: [weather], function_call: 'auto' }));
    assert(answer.choices[0].message.function_call.arguments.city === 'Omsk');
  },
  async 'picture and getImage'() {
    const answer = await person.chat(user('draw a cat', { function_call: 'auto' }));
    const picture = detectImage(answer.choices[0].message.content);
    assert((await person.getImage(picture.uuid)).content.length > 0);
  },
  async models() {
    assert((await person.getModels()).data.length > 20);
    assert((await person.getModel('GigaChat-2')).id === 'GigaChat-2');
  },
  async tokensCount() {
    const counts = await person.tokensCount(['Hello, world!'], 'GigaChat');
    assert(counts.tokens[0].tokens === 4, JSON.stringify(counts));
  },
  async embeddings() {
    assert((await person.embeddings(['one', 'two'])).data[1].embedding.length === 1024);
  },
  async balance() {
    assert((await person.balance()).balance[0].value > 0);
  },
  async aiCheck() {
    assert((await firm.aiCheck('I wrote this.', 'GigaCheckDetection')).category === 'human');
  },
  async files() {
    const file = await person.uploadFile(new File(['hello'], 'a.txt', { type: 'text/plain' }));
    assert((await person.getFile(file.id)).bytes === 5);
    assert((await person.getFiles()).data.some((known) => known.id === file.id));
    assert((await person.deleteFile(file.id)).deleted);
  },
  async 'chatsBatch, getBatches, getBatchStatus, getBatch'() {
    const requests = ['a', 'b'].map((id) => ({ id, request: user(`repeat: ${id}`, { model: 'GigaChat-2' }) }));
    const batch = await firm.chatsBatch(requests);
    assert((await firm.getBatches()).data.some((known) => known.id === batch.id));
    const { output_file_id: file } = await finished(batch.id);
    const { content } = await firm.getBatch(file);
    assert(content.find((line) => line.id === 'b').result.choices[0].message.content === 'b');
  },
  async embeddingsBatch() {
    const batch = await firm.embeddingsBatch([{ id: '1', request: { model: 'Embeddings', input: ['one'] } }]);
    const { output_file_id: file } = await finished(batch.id);
    assert((await firm.getBatch(file)).content[0].result.data[0].embedding.length === 1024);
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok     npm gigachat ${version}: ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED npm gigachat ${version}: ${name}\n`, error);
  }
}
const all = Object.keys(checks).length;
console.log(`npm gigachat ${version}: ${all - failed} of ${all}`);
process.exitCode = failed ? 1 : 0;
