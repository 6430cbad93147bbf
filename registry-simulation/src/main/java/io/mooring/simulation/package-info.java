/**
 * The real core of the registry and the real core of the SDK in one JVM and virtual time, everything from one seed:
 * network, disks, processes and clocks that fail, and an oracle that knows what may be seen.
 */
@NullMarked
package io.mooring.simulation;

import org.jspecify.annotations.NullMarked;
