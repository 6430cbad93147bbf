/** A time of day that only goes forward, on all nodes that hear of one another. Decides nothing. */
@NullMarked
package io.mooring.server.clock;

import org.jspecify.annotations.NullMarked;
