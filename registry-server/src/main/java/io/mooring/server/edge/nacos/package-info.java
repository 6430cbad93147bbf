/**
 * What the two endpoints for Nacos clients have in common: names, the JSON of instances and lists, and what these clients are
 * told about health. Knows neither gRPC nor HTTP.
 */
@NullMarked
package io.mooring.server.edge.nacos;

import org.jspecify.annotations.NullMarked;
