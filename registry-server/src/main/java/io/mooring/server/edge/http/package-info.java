/** The REST interface, {@code /v1} on port 8848. */
@NullMarked
package io.mooring.server.edge.http;

import org.jspecify.annotations.NullMarked;
