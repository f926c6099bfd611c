// Made from api/gigachat.json by generate.py. Do not edit.
package io.github.libgigachat;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** How a client is configured. */
public final class Options {
    private final Map<String, String> values = new LinkedHashMap<>();

    /** Options with their defaults. */
    public Options() {}

    /** An option by the library's name, such as one of a newer library. */
    public Options set(String name, String value) {
        values.put(name, value);
        return this;
    }

    Map<String, String> values() {
        return values;
    }

    /** The provider's name in logs, metrics and router reports. */
    public Options name(String value) {
        return set("name", value);
    }

    /** The authorization key: base64 of client_id:client_secret, ready-made in the customer cabinet. */
    public Options authorizationKey(String value) {
        return set("authorization_key", value);
    }

    /** The kind of account that the authorization key belongs to. */
    public Options scope(String value) {
        return set("scope", value);
    }

    /** A ready-made access token; it is never refreshed, so a 401 is final. */
    public Options accessToken(String value) {
        return set("access_token", value);
    }

    /** The user of an installation that serves {base_url}/token; goes with password. */
    public Options user(String value) {
        return set("user", value);
    }

    /** The password of user. */
    public Options password(String value) {
        return set("password", value);
    }

    /** The model of requests that name none. */
    public Options model(String value) {
        return set("model", value);
    }

    /** The chat that requests are sent to whose own form does not say it: /chat/completions (1) or /v2/chat/completions (2). */
    public Options apiVersion(int value) {
        return set("api_version", String.valueOf(value));
    }

    /** By LangChain's name the same as an api_version of 2; false says nothing. */
    public Options useApiV2(boolean value) {
        return set("use_api_v2", String.valueOf(value));
    }

    /** The role under which chat v2 gets the results of functions; models have been seen to take one and refuse the other. */
    public Options resultRole(String value) {
        return set("result_role", value);
    }

    /** X-Session-ID of calls that set none. */
    public Options sessionId(String value) {
        return set("session_id", value);
    }

    /** Whether the service checks chats for profanity, where that is agreed with it. */
    public Options profanityCheck(boolean value) {
        return set("profanity_check", String.valueOf(value));
    }

    /** The service's flags of chats that set none. */
    public Options flags(String value) {
        return set("flags", value);
    }

    /** The API's root. */
    public Options baseUrl(String value) {
        return set("base_url", value);
    }

    /** The token endpoint. */
    public Options tokenUrl(String value) {
        return set("token_url", value);
    }

    /** Bounds a call from its permit to its end, a stream to its first content and, unless idle_timeout is set, a stream's silences. */
    public Options timeout(Duration value) {
        return set("timeout", Library.seconds(value));
    }

    /** Bounds opening a connection, TLS included, within timeout. */
    public Options connectTimeout(Duration value) {
        return set("connect_timeout", Library.seconds(value));
    }

    /** Bounds the wait for a permit, and that after a 429. By default only a wait ends in which the credential hands out no permit, or gets no answer but 429, for 600 s. */
    public Options queueTimeout(Duration value) {
        return set("queue_timeout", Library.seconds(value));
    }

    /** Bounds a stream's silence between contents. */
    public Options idleTimeout(Duration value) {
        return set("idle_timeout", Library.seconds(value));
    }

    /** Bounds a whole stream from its permit on. */
    public Options streamTimeout(Duration value) {
        return set("stream_timeout", Library.seconds(value));
    }

    /** Bounds a health check, token included. */
    public Options healthTimeout(Duration value) {
        return set("health_timeout", Library.seconds(value));
    }

    /** Attempts after the first; a 429 that is waited out is none of them. With 0 nothing is sent again. */
    public Options maxRetries(int value) {
        return set("max_retries", String.valueOf(value));
    }

    /** Whether a request whose connection broke before an answer is sent again. The service has no idempotency key: such a retry may bill twice. */
    public Options retryBrokenConnections(boolean value) {
        return set("retry_broken_connections", String.valueOf(value));
    }

    /** Whether a generation request that was answered with 429 waits in the queue until the service takes it, within queue_timeout and the deadline, while the permits adapt. Without that a 429 counts to max_retries. */
    public Options waitOnRateLimit(boolean value) {
        return set("wait_on_rate_limit", String.valueOf(value));
    }

    /** Generation requests in flight per credential. */
    public Options maxConcurrency(int value) {
        return set("max_concurrency", String.valueOf(value));
    }

    /** Connections to the API host at most, each with 100 requests at once over HTTP/2 or one over HTTP/1.1. What finds no place waits in the queue, within queue_timeout. */
    public Options maxConnectionsPerHost(int value) {
        return set("max_connections_per_host", String.valueOf(value));
    }

    /** Shares permits and access token with the processes of this machine that say the same. */
    public Options sharedPermits(String value) {
        return set("shared_permits", value);
    }

    /** TLS verification. Off lets anyone on the network read the authorization key; each provider built that way says so in the log. */
    public Options verifyTls(boolean value) {
        return set("verify_tls", String.valueOf(value));
    }

    /** Root certificates in addition to the system's. */
    public Options caBundleFile(String value) {
        return set("ca_bundle_file", value);
    }

    /** The same as text. */
    public Options caBundlePem(String value) {
        return set("ca_bundle_pem", value);
    }

    /** The client certificate chain (mTLS), for the token host and the API host. */
    public Options certificateFile(String value) {
        return set("certificate_file", value);
    }

    /** The same as text. */
    public Options certificatePem(String value) {
        return set("certificate_pem", value);
    }

    /** The client certificate's private key. */
    public Options privateKeyFile(String value) {
        return set("private_key_file", value);
    }

    /** The same as text. */
    public Options privateKeyPem(String value) {
        return set("private_key_pem", value);
    }

    /** The password of an encrypted private key. */
    public Options privateKeyPassword(String value) {
        return set("private_key_password", value);
    }

    /** More hosts for which the embedded Russian Trusted Root CA is trusted. */
    public Options russianRootHosts(String value) {
        return set("russian_root_hosts", value);
    }

    /** A proxy for every host; overrides the environment's. */
    public Options proxy(String value) {
        return set("proxy", value);
    }

    /** Whether HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY are followed. */
    public Options proxyFromEnvironment(boolean value) {
        return set("proxy_from_environment", String.valueOf(value));
    }

    /** The User-Agent header; api.giga.chat answers 403 without one. */
    public Options userAgent(String value) {
        return set("user_agent", value);
    }

    /** Headers sent with every API request, not with token requests. */
    public Options extraHeaders(String value) {
        return set("extra_headers", value);
    }

    /** Lets http:// reach hosts other than loopback; each provider built that way warns. */
    public Options allowInsecureHttp(boolean value) {
        return set("allow_insecure_http", String.valueOf(value));
    }

    /** The largest unary answer. */
    public Options maxBodyBytes(int value) {
        return set("max_body_bytes", String.valueOf(value));
    }

    /** The largest event of a stream. */
    public Options maxEventBytes(int value) {
        return set("max_event_bytes", String.valueOf(value));
    }

    /** How much of a stream is read ahead of a slow reader. */
    public Options readAheadBytes(int value) {
        return set("read_ahead_bytes", String.valueOf(value));
    }

    /** Whether prompts and answers may appear in the log at trace level. */
    public Options logContent(boolean value) {
        return set("log_content", String.valueOf(value));
    }
}
