package io.mooring.server.edge.peer;

import io.mooring.model.InvalidValueException;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;

/**
 * Where a node is.
 *
 * @param host a name, or an IP address without brackets
 * @param port 1-65535
 */
public record PeerAddress(String host, int port) {
    public static final int DEFAULT_PORT = 9_849;
    private static final int LONGEST_HOST = 253;
    private static final String EXPECTED = "host or host:port, with brackets around an IPv6 address";

    public PeerAddress {
        if (!isHost(host)) {
            throw new InvalidValueException("address", host, EXPECTED);
        }
        if (port < 1 || port > 65_535) {
            throw new InvalidValueException("port", port, "1-65535");
        }
    }

    /** Whether it is a host alone: a name, or an IP address without brackets. */
    public static boolean isHost(String text) {
        return !text.isEmpty()
                && text.length() <= LONGEST_HOST
                && (NetUtil.isValidIpV6Address(text) && !text.startsWith("[") || text.matches("[A-Za-z0-9_.-]+"));
    }

    /** @throws InvalidValueException when it is none; no port means {@value #DEFAULT_PORT} */
    public static PeerAddress parse(String text) {
        if (text.indexOf(':') >= 0 && isHost(text)) {
            return new PeerAddress(text, DEFAULT_PORT);
        }
        int bracket = text.indexOf(']');
        int colon = text.indexOf(':', Math.max(bracket, 0));
        String host = colon < 0 ? text : text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
            if (!NetUtil.isValidIpV6Address(host)) {
                throw new InvalidValueException("address", text, EXPECTED);
            }
        } else if (host.contains("[") || host.contains("]")) {
            throw new InvalidValueException("address", text, EXPECTED);
        }
        return new PeerAddress(host, colon < 0 ? DEFAULT_PORT : port(text, text.substring(colon + 1)));
    }

    private static int port(String text, String digits) {
        if (!digits.matches("[0-9]{1,5}")) {
            throw new InvalidValueException("address", text, EXPECTED);
        }
        return Integer.parseInt(digits);
    }

    /** The address itself if the host is one; no name is asked for. */
    Optional<InetAddress> literal() {
        byte[] bytes = NetUtil.createByteArrayFromIpAddressString(host);
        try {
            return bytes == null ? Optional.empty() : Optional.of(InetAddress.getByAddress(bytes));
        } catch (UnknownHostException e) {
            throw new IllegalStateException("4 or 16 octets are an address", e);
        }
    }

    /** {@code host:port}, with brackets around an IPv6 address. */
    @Override
    public String toString() {
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }
}
