// Made from api/gigachat.json by generate.mjs. Do not edit.
/** How a client is configured. What is not given keeps its default. Times are in seconds. */
export interface GigaChatOptions {
  /** The provider's name in logs, metrics and router reports. */
  name?: string;
  /** The authorization key: base64 of client_id:client_secret, ready-made in the customer cabinet. */
  authorizationKey?: string;
  /** The kind of account that the authorization key belongs to. */
  scope?: string;
  /** A ready-made access token; it is never refreshed, so a 401 is final. */
  accessToken?: string;
  /** The user of an installation that serves {base_url}/token; goes with password. */
  user?: string;
  /** The password of user. */
  password?: string;
  /** The model of requests that name none. */
  model?: string;
  /** The chat that requests are sent to whose own form does not say it: /chat/completions (1) or /v2/chat/completions (2). */
  apiVersion?: number;
  /** By LangChain's name the same as an api_version of 2; false says nothing. */
  useApiV2?: boolean;
  /** The role under which chat v2 gets the results of functions; models have been seen to take one and refuse the other. */
  resultRole?: string;
  /** X-Session-ID of calls that set none. */
  sessionId?: string;
  /** Whether the service checks chats for profanity, where that is agreed with it. */
  profanityCheck?: boolean;
  /** The service's flags of chats that set none. */
  flags?: string;
  /** The API's root. */
  baseUrl?: string;
  /** The token endpoint. */
  tokenUrl?: string;
  /** Bounds a call from its permit to its end, a stream to its first content and, unless idle_timeout is set, a stream's silences. */
  timeout?: number;
  /** Bounds opening a connection, TLS included, within timeout. */
  connectTimeout?: number;
  /** Bounds the wait for a permit, and that after a 429. By default only a wait ends in which the credential hands out no permit, or gets no answer but 429, for 600 s. */
  queueTimeout?: number;
  /** Bounds a stream's silence between contents. */
  idleTimeout?: number;
  /** Bounds a whole stream from its permit on. */
  streamTimeout?: number;
  /** Bounds a health check, token included. */
  healthTimeout?: number;
  /** Attempts after the first; a 429 that is waited out is none of them. With 0 nothing is sent again. */
  maxRetries?: number;
  /** Whether a request whose connection broke before an answer is sent again. The service has no idempotency key: such a retry may bill twice. */
  retryBrokenConnections?: boolean;
  /** Whether a generation request that was answered with 429 waits in the queue until the service takes it, within queue_timeout and the deadline, while the permits adapt. Without that a 429 counts to max_retries. */
  waitOnRateLimit?: boolean;
  /** Generation requests in flight per credential. */
  maxConcurrency?: number;
  /** Connections to the API host at most, each with 100 requests at once over HTTP/2 or one over HTTP/1.1. What finds no place waits in the queue, within queue_timeout. */
  maxConnectionsPerHost?: number;
  /** Shares permits and access token with the processes of this machine that say the same. */
  sharedPermits?: string;
  /** TLS verification. Off lets anyone on the network read the authorization key; each provider built that way says so in the log. */
  verifyTls?: boolean;
  /** Root certificates in addition to the system's. */
  caBundleFile?: string;
  /** The same as text. */
  caBundlePem?: string;
  /** The client certificate chain (mTLS), for the token host and the API host. */
  certificateFile?: string;
  /** The same as text. */
  certificatePem?: string;
  /** The client certificate's private key. */
  privateKeyFile?: string;
  /** The same as text. */
  privateKeyPem?: string;
  /** The password of an encrypted private key. */
  privateKeyPassword?: string;
  /** More hosts for which the embedded Russian Trusted Root CA is trusted. */
  russianRootHosts?: string[];
  /** A proxy for every host; overrides the environment's. */
  proxy?: string;
  /** Whether HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY are followed. */
  proxyFromEnvironment?: boolean;
  /** The User-Agent header; api.giga.chat answers 403 without one. */
  userAgent?: string;
  /** Headers sent with every API request, not with token requests. */
  extraHeaders?: Record<string, string>;
  /** Lets http:// reach hosts other than loopback; each provider built that way warns. */
  allowInsecureHttp?: boolean;
  /** The largest unary answer. */
  maxBodyBytes?: number;
  /** The largest event of a stream. */
  maxEventBytes?: number;
  /** How much of a stream is read ahead of a slow reader. */
  readAheadBytes?: number;
  /** Whether prompts and answers may appear in the log at trace level. */
  logContent?: boolean;
}

/** How a router works. What is not given keeps its default. Times are in seconds. */
export interface RouterOptions {
  /** The router's name in logs, metrics and the reports of an outer router. */
  name?: string;
  /** How members are chosen. */
  strategy?: string;
  /** The total time of a call, all attempts and waits included; of a stream, until its first content. With it an attempt gets the smaller of its member's timeout and the remaining time divided by the members that are left. */
  deadline?: number;
  /** Whether members repeat failed requests themselves before the next member is asked: retries multiply then. */
  memberRetries?: boolean;
  /** Whether the next member is asked after a member's answer did not come in time; the first may have answered and billed nevertheless. */
  fallbackAfterReadTimeout?: boolean;
  /** How long a call waits in sum for cooled members when all are; 0 means: fail at once. */
  maxCooldownWait?: number;
  /** The cooldown of a failure without Retry-After, doubled with each that follows, up to longest_cooldown. */
  cooldown?: number;
  /** How long a cooldown becomes at most when the service did not say how long. */
  longestCooldown?: number;
  /** How long a member takes from its return to its full share. */
  ramp?: number;
  /** How many failures in a row cool a member when the service did not say how long. 401, 402, 403 and 429 cool at once. */
  failuresToCool?: number;
  /** Makes random choices repeatable, for tests. */
  seed?: number;
}

/** What kind a failure is. */
export type ErrorKind = 'authentication' | 'payment_required' | 'permission_denied' | 'not_found' | 'payload_too_large' | 'invalid_request' | 'rate_limit' | 'server' | 'timeout' | 'connection' | 'tls' | 'protocol' | 'incomplete_stream' | 'cancelled' | 'configuration' | 'forked' | 'shutdown' | 'internal';

/** What an event of a stream is. Newer kinds may come: skip those that are unknown. */
export type EventType = 'text' | 'functionCall' | 'progress' | 'usage' | 'reasoning' | 'file';

import { GigaChatError } from './index';
/** 401: the authorization key, access token or password is wrong, expired or revoked. */
export class AuthenticationError extends GigaChatError {}
/** 402: the paid tokens of this model are used up. */
export class PaymentRequiredError extends GigaChatError {}
/** 403: this account may not do that. */
export class PermissionDeniedError extends GigaChatError {}
/** 404: no such model, file or path. */
export class NotFoundError extends GigaChatError {}
/** 413: the prompt is larger than the model's context or the service's body limit. */
export class PayloadTooLargeError extends GigaChatError {}
/** 400 or 422, or refused by this library before any request was sent. */
export class InvalidRequestError extends GigaChatError {}
/** 429: too many requests at once or per second; see retry_after. */
export class RateLimitError extends GigaChatError {}
/** 5xx. */
export class ServerError extends GigaChatError {}
/** A time limit passed; phase tells which. */
export class TimeoutError extends GigaChatError {}
/** The service could not be reached, or the connection broke before an answer. */
export class ConnectionError extends GigaChatError {}
/** The TLS handshake failed, most often because a root certificate is missing. */
export class TlsError extends GigaChatError {}
/** The answer is not what the protocol allows: unparsable, truncated, oversized, redirected. */
export class ProtocolError extends GigaChatError {}
/** A stream ended without its end mark; partial_text has what arrived. */
export class IncompleteStreamError extends GigaChatError {}
/** The caller cancelled the call. */
export class CancelledError extends GigaChatError {}
/** The configuration cannot work (bad URL, unreadable certificate, missing credential). */
export class ConfigurationError extends GigaChatError {}
/** The call or stream was begun in the parent of this forked process. */
export class ForkedError extends GigaChatError {}
/** The library is shutting down. */
export class ShutdownError extends GigaChatError {}
/** A fault of the library or of the machine (a panic, no thread to be had). */
export class InternalError extends GigaChatError {}
