/**
 * What was asked of a registry and what it showed, as values, and the check of one against the other. Real processes and
 * the simulation may both write it: times are nanoseconds of one monotonic clock, whatever its origin.
 */
@org.jspecify.annotations.NullMarked
package io.mooring.simulation.history;
