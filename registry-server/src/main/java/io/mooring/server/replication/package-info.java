/** How shards travel: deltas as they happen, digests to compare, snapshots to repair. */
@NullMarked
package io.mooring.server.replication;

import org.jspecify.annotations.NullMarked;
