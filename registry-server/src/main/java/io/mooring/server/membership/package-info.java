/** Who the other nodes are, where they are, and whether they are there. */
@NullMarked
package io.mooring.server.membership;

import org.jspecify.annotations.NullMarked;
