// Many at once from one program. Times bound a hang, no more. LOADS=short asks for fewer.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { GigaChat } from '../lib/index.mjs';

const short = process.env.LOADS === 'short';
const bounded = { timeout: 300_000 };
const client = () => GigaChat.fromEnv({ maxConcurrency: 0, timeout: 3600, idleTimeout: 3600, streamTimeout: 3600 });

test('ten thousand calls at once', bounded, async () => {
  const chat = client();
  const answers = await Promise.all(Array.from({ length: short ? 500 : 10_000 }, (_, i) => chat.generate(`repeat: ${i}`)));
  answers.forEach((answer, i) => assert.equal(answer, String(i)));
  chat.close();
});

test('a thousand streams at once', bounded, async () => {
  const chat = client();
  const read = async () => {
    let text = '';
    for await (const event of chat.stream('repeat: one of many')) if (event.type === 'text') text += event.text;
    return text;
  };
  const texts = await Promise.all(Array.from({ length: short ? 100 : 1000 }, read));
  for (const text of texts) assert.equal(text, 'one of many');
  chat.close();
});

test('what nobody holds any more is collected', bounded, () => {
  const program = `import { GigaChat, liveHandles } from ${JSON.stringify(new URL('../lib/index.mjs', import.meta.url).href)};
    async function abandon() {
      for (let i = 0; i < 50; i++) {
        const stream = GigaChat.fromEnv({ maxConcurrency: 0 }).stream('count to 50');
        await stream.next();
      }
    }
    await abandon();
    for (let i = 0; i < 500 && liveHandles() > 4; i++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    process.exitCode = liveHandles() > 4 ? 1 : 0;
    console.log(liveHandles());`;
  const ran = spawnSync(process.execPath, ['--expose-gc', '--input-type=module', '-e', program], { timeout: 120_000, encoding: 'utf8' });
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
});
