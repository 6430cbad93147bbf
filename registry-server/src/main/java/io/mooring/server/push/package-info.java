/** Tells subscribers the latest, once, when their line is free. */
@NullMarked
package io.mooring.server.push;

import org.jspecify.annotations.NullMarked;
