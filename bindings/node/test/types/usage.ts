// What a program in TypeScript may write, and what it may not.
import { AuthenticationError, type ChatResponse, GigaChat, GigaChatError, Router } from '../../lib/index.js';

export async function allowed(): Promise<void> {
  const client = new GigaChat({ authorizationKey: 'key', timeout: 30, maxRetries: 2 });
  const text: string = await client.generate('hello', { signal: AbortSignal.timeout(1000), timeout: 5 });
  const answer: ChatResponse = await client.chat({ messages: [{ role: 'user', content: text }], temperature: 0.1 });
  const total: number | undefined = answer.usage?.totalTokens;
  const stream = client.stream('hello');
  for await (const event of stream) if (event.type === 'text') console.log(event.text, total);
  try {
    await client.healthCheck();
  } catch (why) {
    if (why instanceof AuthenticationError || why instanceof GigaChatError) console.log(why.kind, why.retryAfter);
  }
  const router = new Router({ strategy: 'random' });
  router.add(client, { weight: 2 });
}

export async function refused(client: GigaChat): Promise<void> {
  // @ts-expect-error: no such option
  new GigaChat({ tiemout: 1 });
  // @ts-expect-error: times are numbers
  new GigaChat({ timeout: '30' });
  // @ts-expect-error: a prompt is a text or a request
  await client.generate(1);
  // @ts-expect-error: a request has messages
  await client.chat({ model: 'GigaChat' });
}
