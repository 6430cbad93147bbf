/**
 * The gRPC endpoint of Nacos clients, port 9848: {@code Request/request} and {@code BiRequestStream/requestBiStream}, both of
 * one hand-read message with JSON in it. What works and what differs from a Nacos server is in {@code docs/nacos.md}.
 */
@NullMarked
package io.mooring.server.edge.nacos.grpc;

import org.jspecify.annotations.NullMarked;
