/** All shards folded into one immutable view per service. */
@NullMarked
package io.mooring.server.catalog;

import org.jspecify.annotations.NullMarked;
