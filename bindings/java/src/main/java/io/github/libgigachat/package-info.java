/**
 * GigaChat, Sber's LLM service, for Java 22 and newer, over the native libgigachat.
 *
 * <p>Start with {@link io.github.libgigachat.GigaChat}.
 */
package io.github.libgigachat;
