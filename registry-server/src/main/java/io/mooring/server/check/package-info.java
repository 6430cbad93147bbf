/** How healthy persistent instances are: which of them this node checks, when, and what the results come to. */
@NullMarked
package io.mooring.server.check;

import org.jspecify.annotations.NullMarked;
