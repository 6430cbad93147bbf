/** The node's state as meters. */
@NullMarked
package io.mooring.server.edge.metrics;

import org.jspecify.annotations.NullMarked;
