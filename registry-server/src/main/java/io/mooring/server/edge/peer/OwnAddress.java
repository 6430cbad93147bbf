package io.mooring.server.edge.peer;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** Finds out at which address others reach this machine, when it listens at all of them. */
public final class OwnAddress {
    private OwnAddress() {}

    /**
     * The host to tell peers and sessions: the bound one; for a wildcard, that from which the first peer is reached, or else
     * the first one of an interface that is not the loopback.
     *
     * @param bind what the node listens on
     * @param peers {@code host:port}; names among them are passed over, nobody is asked for them
     */
    public static String of(String bind, List<String> peers) throws UnknownHostException {
        InetAddress bound = InetAddress.getByName(bind);
        if (!bound.isAnyLocalAddress()) {
            return plain(bound);
        }
        for (String peer : peers) {
            PeerAddress address = PeerAddress.parse(peer);
            Optional<InetAddress> towards = address.literal().flatMap(literal -> towards(literal, address.port()));
            if (towards.isPresent()) {
                return plain(towards.get());
            }
        }
        return plain(ofInterfaces().stream().findFirst().orElse(InetAddress.getLoopbackAddress()));
    }

    /** Connecting a datagram socket sends nothing: it only asks the routing table. */
    private static Optional<InetAddress> towards(InetAddress peer, int port) {
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(new InetSocketAddress(peer, port));
            InetAddress local = socket.getLocalAddress();
            boolean ours =
                    local.equals(peer); // the list names this node too: that says nothing about the way to others
            return local.isAnyLocalAddress() || ours ? Optional.empty() : Optional.of(local);
        } catch (IOException | java.io.UncheckedIOException e) {
            return Optional.empty(); // no way there now; others may be nearer
        }
    }

    private static List<InetAddress> ofInterfaces() {
        List<InetAddress> found = new ArrayList<>();
        try {
            for (NetworkInterface each : Collections.list(NetworkInterface.getNetworkInterfaces())) {
                if (each.isUp() && !each.isLoopback()) {
                    found.addAll(Collections.list(each.getInetAddresses()));
                }
            }
        } catch (SocketException e) {
            return List.of(); // a machine that hides its interfaces is reached by the loopback at least
        }
        found.removeIf(address -> address.isLinkLocalAddress() || address.isMulticastAddress());
        found.sort((a, b) -> Boolean.compare(b instanceof Inet4Address, a instanceof Inet4Address));
        return found;
    }

    private static String plain(InetAddress address) {
        String text = address.getHostAddress();
        int zone = text.indexOf('%');
        return zone < 0 ? text : text.substring(0, zone);
    }
}
