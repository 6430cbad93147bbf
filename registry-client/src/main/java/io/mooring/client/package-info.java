/**
 * The Java SDK: register, discover, and keep calling while the registry is down. Start at {@link
 * io.mooring.client.Mooring}; the prose is {@code docs/client.md}.
 */
@NullMarked
package io.mooring.client;

import org.jspecify.annotations.NullMarked;
