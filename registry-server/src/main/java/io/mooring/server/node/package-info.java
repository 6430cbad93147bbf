/** The core's front door. It wires the core's packages by plain constructors and lets them run on one event loop. */
@NullMarked
package io.mooring.server.node;

import org.jspecify.annotations.NullMarked;
