package io.github.libgigachat;

/**
 * One message of a conversation.
 *
 * @param role user, assistant, system, function, or a newer one
 * @param content the text; for role function the function's result as JSON
 */
public record Message(String role, String content) {}
