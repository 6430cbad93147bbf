/** Which removals are too sudden to be believed. Pure functions. */
@NullMarked
package io.mooring.server.protection;

import org.jspecify.annotations.NullMarked;
