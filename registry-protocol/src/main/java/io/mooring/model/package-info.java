/** The values that every part of Mooring speaks of: services, instances and views of them. Immutable, checked once, when made. */
@NullMarked
package io.mooring.model;

import org.jspecify.annotations.NullMarked;
