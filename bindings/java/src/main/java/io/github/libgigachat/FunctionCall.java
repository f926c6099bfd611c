package io.github.libgigachat;

/**
 * The model's wish that a function be called.
 *
 * @param name the function's name
 * @param arguments a JSON object
 * @param stateId what the history repeats; null when there is none
 */
public record FunctionCall(String name, String arguments, String stateId) {}
