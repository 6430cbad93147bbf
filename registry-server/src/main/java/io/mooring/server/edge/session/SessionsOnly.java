package io.mooring.server.edge.session;

import io.mooring.server.websocket.UpgradeGate;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.util.Optional;

/** Lets upgrades on the path of sessions through. */
final class SessionsOnly extends UpgradeGate {
    @Override
    protected Optional<Objection> objection(FullHttpRequest request) {
        if (!isOurPath(request.uri())) {
            return objection(HttpResponseStatus.NOT_FOUND, "nothing here; sessions are at " + SessionSettings.PATH);
        }
        if (!request.method().equals(HttpMethod.GET) || !isUpgrade(request)) {
            return objection(
                    HttpResponseStatus.UPGRADE_REQUIRED,
                    "this port speaks WebSocket (Upgrade: websocket); REST is on the HTTP port");
        }
        return Optional.empty();
    }

    private static boolean isOurPath(String uri) {
        try {
            return new QueryStringDecoder(uri).path().equals(SessionSettings.PATH);
        } catch (IllegalArgumentException e) {
            return false; // bad percent-encoding: certainly not ours
        }
    }
}
