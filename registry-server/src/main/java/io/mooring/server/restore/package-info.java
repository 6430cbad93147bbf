/** What a node writes to disk so that a restart serves the last view. */
@NullMarked
package io.mooring.server.restore;

import org.jspecify.annotations.NullMarked;
