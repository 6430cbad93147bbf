/** Lines between nodes: who listens, who dials, and where the addresses come from. */
@NullMarked
package io.mooring.server.edge.peer;

import org.jspecify.annotations.NullMarked;
