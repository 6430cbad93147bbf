/** Entries that survive everything: small, seldom changed, on every node, the last writer wins. */
@NullMarked
package io.mooring.server.durable;

import org.jspecify.annotations.NullMarked;
