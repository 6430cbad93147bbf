/** What the tests of several edges share. */
@NullMarked
package io.mooring.server.edge;

import org.jspecify.annotations.NullMarked;
