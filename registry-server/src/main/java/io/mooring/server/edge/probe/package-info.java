/** Evidence by TCP. */
@NullMarked
package io.mooring.server.edge.probe;

import org.jspecify.annotations.NullMarked;
