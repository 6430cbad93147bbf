package io.mooring.server.edge.http;

import io.mooring.model.InstanceId;
import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;
import io.mooring.protocol.RefusalCode;
import io.mooring.server.web.BodyRefusedException;
import io.mooring.server.web.WebPort;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.Locale;
import java.util.Map;

/** A request on its way through a handler: the parts of it that handlers ask for, checked when asked for. */
record Call(
        HttpServletRequest request, HttpServletResponse response, Map<String, String> path, Query query, WebPort port) {

    ServiceKey service() {
        return new ServiceKey(
                query.one("namespace", ServiceKey.DEFAULT_NAMESPACE),
                query.one("group", ServiceKey.DEFAULT_GROUP),
                path.getOrDefault("service", ""));
    }

    /** The instance of a path that ends with {@code host:port}. */
    InstanceId instance() {
        String address = path.getOrDefault("instance", "");
        int colon = address.lastIndexOf(':');
        boolean bracketed = address.startsWith("[");
        String host = colon < 0 ? "" : address.substring(0, colon);
        if (bracketed && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (bracketed || host.indexOf(':') >= 0 || host.isEmpty()) {
            throw new InvalidValueException("instance", address, "host:port, an IPv6 address in brackets");
        }
        String cluster = query.one("cluster", InstanceId.DEFAULT_CLUSTER);
        return new InstanceId(service(), cluster, host, port(address.substring(colon + 1)));
    }

    private static int port(String text) {
        boolean digits = !text.isEmpty() && text.length() <= 5 && text.chars().allMatch(c -> c >= '0' && c <= '9');
        if (!digits) {
            throw new InvalidValueException("port", text, "1-65535");
        }
        return Integer.parseInt(text);
    }

    /** Who asks, for the record of what was done. */
    String actor() {
        return "http:" + request.getRemoteAddr(); // the connection's own address: forwarded headers prove nothing
    }

    /** The whole body, empty if there is none. */
    byte[] body() {
        byte[] body;
        try {
            body = port.body(request);
        } catch (BodyRefusedException e) {
            throw new ProblemException(problem(e));
        }
        if (body.length > 0) {
            checkMediaType();
        }
        return body;
    }

    private static Problem problem(BodyRefusedException e) {
        return switch (e.reason()) {
            case TOO_LARGE -> Problem.of(Problem.TOO_LARGE, e.sentence());
            case TOO_SLOW -> Problem.of(RefusalCode.TOO_SLOW, e.sentence());
            case BROKEN -> Problem.of(RefusalCode.MALFORMED, e.sentence());
            case FULL -> Problem.overloaded(e.sentence());
        };
    }

    private void checkMediaType() {
        String encoding = request.getHeader("Content-Encoding");
        if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
            throw unsupported("Content-Encoding", encoding, "none");
        }
        String given = request.getContentType();
        if (given == null) {
            return; // one media type is spoken here; who names none means it
        }
        String[] parts = given.toLowerCase(Locale.ROOT).split(";", -1);
        boolean fits = parts[0].strip().equals(Reply.JSON);
        for (int i = 1; fits && i < parts.length; i++) {
            String parameter = parts[i].replaceAll("[\\s\"]", "");
            fits = !parameter.startsWith("charset=") || parameter.equals("charset=utf-8");
        }
        if (!fits) {
            throw unsupported("Content-Type", given, "application/json in UTF-8");
        }
    }

    private static ProblemException unsupported(String header, String given, String expected) {
        return new ProblemException(Problem.of(
                Problem.UNSUPPORTED_MEDIA_TYPE,
                header + ": " + InvalidValueException.shown(given) + " (expected: " + expected + ")"));
    }
}
