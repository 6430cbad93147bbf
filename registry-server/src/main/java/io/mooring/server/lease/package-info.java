/** The shard this node owns: who published what, until when. */
@NullMarked
package io.mooring.server.lease;

import org.jspecify.annotations.NullMarked;
