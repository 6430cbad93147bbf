/** What all who are served on the one HTTP port share: its places for bodies, for writes, and for large answers. */
@NullMarked
package io.mooring.server.web;

import org.jspecify.annotations.NullMarked;
