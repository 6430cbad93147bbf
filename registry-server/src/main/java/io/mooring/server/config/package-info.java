/** Properties, and the one configuration class that builds everything. Imported by nobody. */
@NullMarked
package io.mooring.server.config;

import org.jspecify.annotations.NullMarked;
