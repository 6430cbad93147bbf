/** The data directory. */
@NullMarked
package io.mooring.server.edge.disk;

import org.jspecify.annotations.NullMarked;
