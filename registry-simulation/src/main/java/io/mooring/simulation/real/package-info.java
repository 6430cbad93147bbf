/**
 * A cluster of real processes under faults: the packaged registry, the real SDK, a proxy of our own between them, and a
 * recorder whose history {@link io.mooring.simulation.history.Checker} judges.
 */
@org.jspecify.annotations.NullMarked
package io.mooring.simulation.real;
