/** Registrations and removals as bytes: on disk and between nodes. */
@NullMarked
package io.mooring.server.codec;

import org.jspecify.annotations.NullMarked;
