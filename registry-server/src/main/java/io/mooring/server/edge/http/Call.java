package io.mooring.server.edge.http;

import io.mooring.model.InstanceId;
import io.mooring.model.InvalidValueException;
import io.mooring.model.ServiceKey;
import io.mooring.protocol.RefusalCode;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;

/** A request on its way through a handler: the parts of it that handlers ask for, checked when asked for. */
record Call(HttpServletRequest request, HttpServletResponse response, Map<String, String> path, Query query) {
    static final int MAX_BODY = 1 << 20;
    private static final Duration BODY_TIME = Duration.ofSeconds(10);

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
    byte[] body() throws IOException {
        long announced = request.getContentLengthLong();
        if (announced > MAX_BODY) {
            throw tooLarge();
        }
        byte[] body = read(request.getInputStream());
        if (body.length > 0) {
            checkMediaType();
        }
        return body;
    }

    /** A sender that drips holds one of the few places for writes, so its time is limited as a whole. */
    private static byte[] read(InputStream in) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        byte[] buffer = new byte[8_192];
        long started = System.nanoTime();
        try {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                body.write(buffer, 0, read);
                if (body.size() > MAX_BODY) {
                    throw tooLarge();
                }
                if (System.nanoTime() - started > BODY_TIME.toNanos()) {
                    throw tooSlow();
                }
            }
        } catch (SocketTimeoutException e) {
            throw tooSlow();
        } catch (IOException e) {
            throw new ProblemException(
                    Problem.of(RefusalCode.MALFORMED, "the body ends early or is not encoded as its headers say"));
        }
        return body.toByteArray();
    }

    private static ProblemException tooLarge() {
        return new ProblemException(Problem.of(
                Problem.TOO_LARGE, "the body is longer than " + MAX_BODY + " bytes; send it in several requests"));
    }

    private static ProblemException tooSlow() {
        return new ProblemException(Problem.of(
                RefusalCode.TOO_SLOW,
                "the body did not arrive within " + DurationText.of(BODY_TIME) + "; send it at once"));
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
