package io.mooring.server.edge.nacos.http;

import io.mooring.server.edge.nacos.HealthView;
import java.util.function.IntSupplier;

/**
 * How Nacos clients are served over HTTP.
 *
 * @param bind the address to listen on, and to send from
 * @param port of the interface, once it is known
 * @param version of this software, for people
 * @param doubt when doubt about instances is not believed
 * @param udpSubscribers that hear of changes by UDP, at most; 0 for none
 */
public record NacosHttpSettings(
        String bind, IntSupplier port, String version, HealthView.Doubt doubt, int udpSubscribers) {}
