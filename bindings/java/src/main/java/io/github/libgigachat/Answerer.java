package io.github.libgigachat;

import java.util.function.Consumer;

/**
 * Answers requests in the program itself: another service, a cache, a test double. Its methods run on virtual
 * threads, any number at once; a thread is interrupted when nobody waits for its answer any more.
 *
 * <p>A {@link GigaChatException} keeps its kind, so that a router treats it as the service's; any other exception is
 * an internal error of the provider.
 */
@FunctionalInterface
public interface Answerer {
    /**
     * Answers a request as a whole.
     *
     * @param request the request in the wire format
     * @return the answer's text
     * @throws Exception when it cannot be answered
     */
    String generate(String request) throws Exception;

    /**
     * Answers a request piece by piece; without it in one piece.
     *
     * @param request the request in the wire format
     * @param piece takes the pieces
     * @throws Exception when it cannot be answered
     */
    default void stream(String request, Consumer<String> piece) throws Exception {
        piece.accept(generate(request));
    }

    /**
     * Returns when requests can be answered; without it they always can.
     *
     * @throws Exception when they cannot
     */
    default void healthCheck() throws Exception {}
}
