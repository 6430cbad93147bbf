/** The outage drill: real processes, a registry killed for real, and a table that says whether calls went on. */
@NullMarked
package io.mooring.simulation.drill;

import org.jspecify.annotations.NullMarked;
