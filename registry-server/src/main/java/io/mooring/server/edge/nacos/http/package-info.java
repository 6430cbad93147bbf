/** The interface for Nacos clients and tools that speak HTTP: v1, v2 and v3 below {@code /nacos}, and pushes by UDP. */
@NullMarked
package io.mooring.server.edge.nacos.http;

import org.jspecify.annotations.NullMarked;
