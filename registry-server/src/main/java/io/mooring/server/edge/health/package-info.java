/** The node's state as health, for the operations port. */
@NullMarked
package io.mooring.server.edge.health;

import org.jspecify.annotations.NullMarked;
