package io.mooring.simulation.real;

import io.mooring.simulation.real.FaultProxy.Direction;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * All on addresses of the loopback device. Each node binds an address of its own and is known to everybody by another, where
 * a {@link FaultProxy} stands in front of its ports for sessions and for peers: so whatever addresses nodes learn from each
 * other lead through the proxies.
 */
final class Loopback implements Terrain {
    private final int block =
            (int) (ProcessHandle.current().pid() % 200) + 20; // apart from another run on this machine
    private final SocketOwners owners = new SocketOwners();
    private final List<FaultProxy> sessions = new ArrayList<>();
    private final List<FaultProxy> peers = new ArrayList<>();

    Loopback(int nodes, int sessionPort, int peerPort, long seed) throws IOException {
        for (int node = 0; node < nodes; node++) {
            sessions.add(proxy(node, sessionPort, seed * 31 + node));
            peers.add(proxy(node, peerPort, seed * 37 + node));
        }
    }

    private FaultProxy proxy(int node, int port, long seed) throws IOException {
        return new FaultProxy(
                new InetSocketAddress(address(node), port),
                new InetSocketAddress(bind(node), port),
                new Random(seed),
                owners);
    }

    private static String name(int node) {
        return "n" + (node + 1);
    }

    @Override
    public String name() {
        return "loopback addresses behind proxies";
    }

    @Override
    public String bind(int node) {
        return "127." + block + ".0." + (node + 1);
    }

    @Override
    public String address(int node) {
        return "127." + block + ".1." + (node + 1);
    }

    @Override
    public String provider(int number) {
        return "127." + block + "." + (2 + number / 250) + "." + (1 + number % 250);
    }

    @Override
    public List<String> prefix(int node) {
        return List.of();
    }

    @Override
    public void started(int node, long pid) {
        owners.name(name(node), pid);
    }

    /** The line between two may have been dialled by either. */
    @Override
    public void cut(int from, int to) {
        between(from, to, Conduct.BLACK_HOLE);
    }

    /** What {@code from} sends to {@code to} is treated so. */
    void between(int from, int to, Conduct conduct) {
        peers.get(to).set(name(from), Direction.OUT, conduct);
        peers.get(from).set(name(to), Direction.BACK, conduct);
    }

    /** Resets the lines between these two. */
    void reset(int a, int b) {
        peers.get(b).reset(name(a));
        peers.get(a).reset(name(b));
    }

    /** The proxy that clients of that node meet; they dial as {@link SocketOwners#OTHERS}. */
    FaultProxy sessions(int node) {
        return sessions.get(node);
    }

    /** Over the proxies between nodes. */
    long count(Effect effect) {
        return peers.stream().mapToLong(proxy -> proxy.count(effect)).sum();
    }

    @Override
    public boolean canUnplug() {
        return false;
    }

    @Override
    public void unplug(int node) {
        throw new UnsupportedOperationException("loopback cannot be unplugged");
    }

    @Override
    public void heal() {
        sessions.forEach(FaultProxy::clear);
        peers.forEach(FaultProxy::clear);
    }

    @Override
    public long losses(int node) {
        return count(Effect.HELD) + count(Effect.SWALLOWED);
    }

    @Override
    public void close() throws IOException {
        for (FaultProxy proxy : sessions) {
            proxy.close();
        }
        for (FaultProxy proxy : peers) {
            proxy.close();
        }
    }
}
