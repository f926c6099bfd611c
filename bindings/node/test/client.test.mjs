// What the package does against the emulator: gigachat-emulator --quiet -- npm test
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { AuthenticationError, GigaChat, GigaChatError, Router, liveHandles, version } from '../lib/index.mjs';

assert.ok(process.env.GIGACHAT_CREDENTIALS, 'run the tests inside the emulator: gigachat-emulator --quiet -- npm test');

const bounded = { timeout: 60_000 };
const client = (options = {}) => GigaChat.fromEnv({ maxConcurrency: 0, ...options });
const slow = { headers: { 'X-Emulator-Fault': '{"type":"delay_headers","ms":5000}' } };

test('a prompt is answered, with any characters', bounded, async () => {
  await using_(client(), async (chat) => assert.equal(await chat.generate('repeat: привет \u0000 NUL'), 'привет \u0000 NUL'));
});

async function using_(chat, body) {
  try {
    await body(chat);
  } finally {
    chat.close();
  }
}

test('an answer tells everything', bounded, async () => {
  await using_(client(), async (chat) => {
    const answer = await chat.chat({ messages: [{ role: 'user', content: 'repeat: hello' }], temperature: 0.5 }, { timeout: 20 });
    assert.equal(answer.text, 'hello');
    assert.equal(answer.finishReason, 'stop');
    assert.ok(answer.usage.totalTokens > 0);
    assert.equal(answer.attempts, 1);
    assert.equal(answer.json.choices[0].message.content, 'hello');
    assert.ok(answer.timings.total > 0);
  });
});

test('a stream gives its text, then its answer', bounded, async () => {
  await using_(client(), async (chat) => {
    let text = '';
    const stream = chat.stream('count to 5');
    for await (const event of stream) if (event.type === 'text') text += event.text;
    assert.equal(stream.response.text, text);
    assert.match(text, /5/);
  });
});

test('a loop that is left cancels its stream', bounded, async () => {
  await using_(client({ maxConcurrency: 1 }), async (chat) => {
    for await (const event of chat.stream('count to 50')) if (event) break;
    assert.equal(await chat.generate('repeat: next'), 'next');
  });
});

test('fifty calls at once are answered', bounded, async () => {
  await using_(client(), async (chat) => {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => chat.generate(`repeat: ${i}`)));
    assert.deepEqual(answers, Array.from({ length: 50 }, (_, i) => String(i)));
  });
});

test('an aborted call is rejected with the reason of its signal', bounded, async () => {
  await using_(client(), async (chat) => {
    const reason = new Error('the user went away');
    const abort = new AbortController();
    setTimeout(() => abort.abort(reason), 50);
    await assert.rejects(chat.generate('x', { ...slow, signal: abort.signal }), (why) => why === reason);
    await assert.rejects(chat.generate('x', { signal: AbortSignal.abort() }), { name: 'AbortError' });
    await assert.rejects(chat.generate('x', { ...slow, signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
  });
});

test('errors have a class, a kind and everything else', bounded, async () => {
  await using_(client({ authorizationKey: 'd3Jvbmc6d3Jvbmc=' }), async (chat) => {
    const why = await chat.generate('hello').catch((error) => error);
    assert.ok(why instanceof AuthenticationError && why instanceof GigaChatError && why instanceof Error);
    assert.equal(why.kind, 'authentication');
    assert.equal(why.httpStatus, 401);
    assert.equal(why.phase, 'token');
    assert.ok(!why.message.includes('d3Jvbmc6d3Jvbmc='));
  });
});

test('bad options are refused by name', bounded, () => {
  assert.throws(() => new GigaChat({ tiemout: 1 }), /timeout/);
  assert.throws(() => new GigaChat({ authorizationKey: 'd3Jvbmc6d3Jvbmc=', timeout: -1 }), { kind: 'configuration' });
});

test('the health check says how long it took', bounded, async () => {
  await using_(client(), async (chat) => assert.ok((await chat.healthCheck()) > 0));
});

test('a router answers through its members', bounded, async () => {
  await using_(client(), async (member) => {
    await using_(new Router({ strategy: 'first-available' }), async (router) => {
      const id = router.add(member, { name: 'one' });
      assert.equal(await router.generate('repeat: routed'), 'routed');
      assert.match(router.prometheus, /one/);
      router.remove(id);
      await assert.rejects(router.generate('nobody'));
    });
  });
});

test('what is closed is freed, and asks no more', bounded, async () => {
  const before = liveHandles();
  const chat = client();
  await chat.generate('hello');
  chat.close();
  await assert.rejects(chat.generate('hello'), /closed/);
  assert.ok(liveHandles() <= before);
});

test('the package can be required, too', () => {
  const required = createRequire(import.meta.url)('../lib/index.js');
  assert.equal(required.version(), version());
  assert.equal(required.GigaChat, GigaChat);
});

test('worker threads have queues of their own', bounded, async () => {
  const source = `const { GigaChat } = require(${JSON.stringify(new URL('../lib/index.js', import.meta.url).pathname)});
    GigaChat.fromEnv({}).generate('repeat: worker').then((text) => require('node:worker_threads').parentPort.postMessage(text));`;
  const answers = await Promise.all([1, 2, 3, 4].map(() => new Promise((resolve, reject) => {
    const worker = new Worker(source, { eval: true });
    let answer;
    worker.on('message', (text) => { answer = text; });
    worker.on('error', reject);
    worker.on('exit', () => resolve(answer));
  })));
  assert.deepEqual(answers, ['worker', 'worker', 'worker', 'worker']);
});

// Each ends with calls and a stream in flight, and keeps its exit code.
const ends = {
  exit: ['process.exit(7)', 7],
  throw: ['throw new Error("boom")', 1],
  rejection: ['Promise.reject(new Error("boom"))', 1],
  end: ['abort.abort()', 0],
};
for (const [name, [how, code]] of Object.entries(ends)) {
  test(`a program that ends by ${name} with calls in flight keeps its exit code`, bounded, () => {
    const program = `import { GigaChat } from ${JSON.stringify(new URL('../lib/index.mjs', import.meta.url).href)};
      const chat = GigaChat.fromEnv({ maxConcurrency: 0 });
      const abort = new AbortController();
      const fault = ${JSON.stringify(slow)};
      for (let i = 0; i < 5; i++) chat.generate('x', { ...fault, signal: abort.signal }).catch(() => {});
      const stream = chat.stream('count to 50', { signal: abort.signal });
      await stream.next();
      setTimeout(() => { ${how} }, 20);`;
    const ran = spawnSync(process.execPath, ['--input-type=module', '-e', program], { timeout: 30_000, encoding: 'utf8' });
    assert.equal(ran.status, code, ran.stderr);
  });
}
