/** The truth and how it moves: what one node accepted, in the order it accepted it. */
@NullMarked
package io.mooring.server.shard;

import org.jspecify.annotations.NullMarked;
