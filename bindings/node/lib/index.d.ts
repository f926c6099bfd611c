import type { EventType, ErrorKind, GigaChatOptions, RouterOptions } from './generated';
export * from './generated';

/** A failure. Its class and `kind` say what went wrong, its message what to do. */
export class GigaChatError extends Error {
  readonly kind: ErrorKind;
  /** The C library's status. */
  readonly status: number;
  /** The part of the call that failed, such as 'connect'. */
  readonly phase: string;
  /** The status of the answer, when one came. */
  readonly httpStatus?: number;
  /** The service's own code of an OAuth error. */
  readonly serviceCode?: number;
  /** The id by which the service's support finds the request. */
  readonly requestId?: string;
  /** How long the service asks to wait, in seconds. */
  readonly retryAfter?: number;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** How many requests were sent for the call. */
  readonly attempts: number;
  /** What a stream had delivered before it broke. */
  readonly partialText?: string;
  /** The body of the service's answer, at most 64 KiB of it. */
  readonly body: string;
  /** The attempts of a call that went through a router. */
  readonly routeAttempts: { member: string; kind: ErrorKind; http_status: number | null; request_id: string | null; duration_ms: number }[];
}

/** A message of a conversation, in the wire format. */
export interface Message {
  role: string;
  content: string;
  [field: string]: unknown;
}

/** A request in the wire format; unknown fields are sent as they are. */
export interface ChatRequest {
  messages: Message[];
  model?: string;
  temperature?: number;
  top_p?: number;
  max_tokens?: number;
  repetition_penalty?: number;
  stop?: string | string[];
  functions?: object[];
  [field: string]: unknown;
}

/** What concerns one call. Times are in seconds. */
export interface CallOptions {
  /** Aborting it ends the call at once; the promise is rejected with the signal's reason. */
  signal?: AbortSignal;
  timeout?: number;
  queueTimeout?: number;
  idleTimeout?: number;
  streamTimeout?: number;
  deadline?: number;
  requestId?: string;
  sessionId?: string;
  clientId?: string;
  headers?: Record<string, string>;
}

export interface TokenUsage {
  promptTokens: number;
  completionTokens: number;
  totalTokens: number;
  precachedPromptTokens?: number;
}

/** An answer, and what is known of its call. */
export interface ChatResponse {
  readonly text: string;
  readonly finishReason: string;
  readonly model: string;
  readonly functionCall?: { name: string; arguments: string };
  readonly functionsStateId?: string;
  readonly usage?: TokenUsage;
  readonly requestId?: string;
  readonly sessionId?: string;
  readonly attempts: number;
  /** How long the call's parts took, in seconds. */
  readonly timings: { queue: number; token: number; firstByte: number; firstContent: number; total: number };
  /** The answer as it came; empty for a stream's. */
  readonly raw: string;
  /** The same, parsed when it is asked for. */
  readonly json: unknown;
}

/** One part of a streamed answer. */
export interface ChatEvent {
  type: EventType | 'unknown';
  /** A piece of the text, or a function call's arguments. */
  text?: string;
  /** A function's name. */
  name?: string;
  usage?: TokenUsage;
}

/** An answer that is read part by part; leaving the loop, or closing, cancels it. */
export class ChatStream implements AsyncIterableIterator<ChatEvent> {
  private constructor();
  /** The whole answer, once the loop has ended. */
  readonly response: ChatResponse | undefined;
  next(): Promise<IteratorResult<ChatEvent>>;
  return(): Promise<IteratorResult<ChatEvent>>;
  [Symbol.asyncIterator](): this;
  [Symbol.asyncDispose](): Promise<void>;
  close(): void;
}

/** Who answers. */
declare abstract class Provider {
  /** Answers a prompt with a text. */
  generate(prompt: string, options?: CallOptions): Promise<string>;
  /** Answers a prompt or a request as a whole. */
  chat(request: string | ChatRequest, options?: CallOptions): Promise<ChatResponse>;
  /** Answers part by part: `for await (const event of client.stream('...'))`. */
  stream(request: string | ChatRequest, options?: CallOptions): ChatStream;
  /** Whether the service can serve; gives how long that took, in seconds. */
  healthCheck(options?: { timeout?: number; signal?: AbortSignal }): Promise<number>;
  /** How the generations of this credential are limited. */
  readonly permits: { limit: number; held: number; heldByStreams: number; waiting: number };
  /** Frees the provider; calls that run go on. */
  close(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A client of the service. It keeps connections, the access token and the permits of its credential: make one, share it. */
export class GigaChat extends Provider {
  /** Without options, from the GIGACHAT_* variables. */
  constructor(options?: GigaChatOptions);
  /** From the GIGACHAT_* variables; options go before them. */
  static fromEnv(options?: GigaChatOptions): GigaChat;
}

/** A provider that spreads calls over its members, and falls over to the next when one fails. */
export class Router extends Provider {
  constructor(options?: RouterOptions);
  /** Adds a member; gives what `remove` takes. */
  add(member: GigaChat | Router, options?: { name?: string; weight?: number }): bigint | number;
  remove(id: bigint | number): void;
  /** What is known of the members. */
  readonly metrics: unknown;
  /** The same in Prometheus' text format. */
  readonly prometheus: string;
}

/** The native library's version. */
export function version(): string;
/** How many objects of the library this process holds, to find leaks. */
export function liveHandles(): number;
