// Made from api/gigachat.json by generate.py. Do not edit.
package io.github.libgigachat;

import java.util.Map;
import java.util.function.Function;

/** The exception of each kind. */
public final class Exceptions {
    private Exceptions() {}

    /** 401: the authorization key, access token or password is wrong, expired or revoked. */
    public static final class AuthenticationException extends GigaChatException {
        private static final long serialVersionUID = 1;

        AuthenticationException(Details details) {
            super(details);
        }
    }

    /** 402: the paid tokens of this model are used up. */
    public static final class PaymentRequiredException extends GigaChatException {
        private static final long serialVersionUID = 1;

        PaymentRequiredException(Details details) {
            super(details);
        }
    }

    /** 403: this account may not do that. */
    public static final class PermissionDeniedException extends GigaChatException {
        private static final long serialVersionUID = 1;

        PermissionDeniedException(Details details) {
            super(details);
        }
    }

    /** 404: no such model, file or path. */
    public static final class NotFoundException extends GigaChatException {
        private static final long serialVersionUID = 1;

        NotFoundException(Details details) {
            super(details);
        }
    }

    /** 413: the prompt is larger than the model's context or the service's body limit. */
    public static final class PayloadTooLargeException extends GigaChatException {
        private static final long serialVersionUID = 1;

        PayloadTooLargeException(Details details) {
            super(details);
        }
    }

    /** 400 or 422, or refused by this library before any request was sent. */
    public static final class InvalidRequestException extends GigaChatException {
        private static final long serialVersionUID = 1;

        InvalidRequestException(Details details) {
            super(details);
        }
    }

    /** 429: too many requests at once or per second; see retry_after. */
    public static final class RateLimitException extends GigaChatException {
        private static final long serialVersionUID = 1;

        RateLimitException(Details details) {
            super(details);
        }
    }

    /** 5xx. */
    public static final class ServerException extends GigaChatException {
        private static final long serialVersionUID = 1;

        ServerException(Details details) {
            super(details);
        }
    }

    /** A time limit passed; phase tells which. */
    public static final class TimeoutException extends GigaChatException {
        private static final long serialVersionUID = 1;

        TimeoutException(Details details) {
            super(details);
        }
    }

    /** The service could not be reached, or the connection broke before an answer. */
    public static final class ConnectionException extends GigaChatException {
        private static final long serialVersionUID = 1;

        ConnectionException(Details details) {
            super(details);
        }
    }

    /** The TLS handshake failed, most often because a root certificate is missing. */
    public static final class TlsException extends GigaChatException {
        private static final long serialVersionUID = 1;

        TlsException(Details details) {
            super(details);
        }
    }

    /** The answer is not what the protocol allows: unparsable, truncated, oversized, redirected. */
    public static final class ProtocolException extends GigaChatException {
        private static final long serialVersionUID = 1;

        ProtocolException(Details details) {
            super(details);
        }
    }

    /** A stream ended without its end mark; partial_text has what arrived. */
    public static final class IncompleteStreamException extends GigaChatException {
        private static final long serialVersionUID = 1;

        IncompleteStreamException(Details details) {
            super(details);
        }
    }

    /** The caller cancelled the call. */
    public static final class CancelledException extends GigaChatException {
        private static final long serialVersionUID = 1;

        CancelledException(Details details) {
            super(details);
        }
    }

    /** The configuration cannot work (bad URL, unreadable certificate, missing credential). */
    public static final class ConfigurationException extends GigaChatException {
        private static final long serialVersionUID = 1;

        ConfigurationException(Details details) {
            super(details);
        }
    }

    /** The call or stream was begun in the parent of this forked process. */
    public static final class ForkedException extends GigaChatException {
        private static final long serialVersionUID = 1;

        ForkedException(Details details) {
            super(details);
        }
    }

    /** The library is shutting down. */
    public static final class ShutdownException extends GigaChatException {
        private static final long serialVersionUID = 1;

        ShutdownException(Details details) {
            super(details);
        }
    }

    /** A fault of the library or of the machine (a panic, no thread to be had). */
    public static final class InternalException extends GigaChatException {
        private static final long serialVersionUID = 1;

        InternalException(Details details) {
            super(details);
        }
    }

    static final Map<String, Function<GigaChatException.Details, GigaChatException>> BY_KIND = Map.ofEntries(
        Map.entry("authentication", AuthenticationException::new),
        Map.entry("payment_required", PaymentRequiredException::new),
        Map.entry("permission_denied", PermissionDeniedException::new),
        Map.entry("not_found", NotFoundException::new),
        Map.entry("payload_too_large", PayloadTooLargeException::new),
        Map.entry("invalid_request", InvalidRequestException::new),
        Map.entry("rate_limit", RateLimitException::new),
        Map.entry("server", ServerException::new),
        Map.entry("timeout", TimeoutException::new),
        Map.entry("connection", ConnectionException::new),
        Map.entry("tls", TlsException::new),
        Map.entry("protocol", ProtocolException::new),
        Map.entry("incomplete_stream", IncompleteStreamException::new),
        Map.entry("cancelled", CancelledException::new),
        Map.entry("configuration", ConfigurationException::new),
        Map.entry("forked", ForkedException::new),
        Map.entry("shutdown", ShutdownException::new),
        Map.entry("internal", InternalException::new));
}
