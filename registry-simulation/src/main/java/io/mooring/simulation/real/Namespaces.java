package io.mooring.simulation.real;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Each node in a network namespace of its own, on a bridge with this process. Needs a namespace of network and mounts for
 * the whole run, so that nothing of it is seen outside or stays: {@code unshare -n -m}.
 */
final class Namespaces implements Terrain, PodNetwork {
    /** Set where the whole run already has namespaces of its own. */
    static final String ALONE = "MOORING_DRILL_ALONE";

    private static final String NAMES = "/run/netns";

    /** Of this process in the nodes' network. */
    static final String OUTSIDE = "10.77.0.1";

    /** Of the processes; all of them live in this one's network. */
    private static final String PROVIDERS = "10.77.128.0/17";

    private final int nodes;
    private final int[] addresses;
    private final List<String> blackHoles = new ArrayList<>();

    Namespaces(int nodes) throws IOException {
        ownNames();
        this.nodes = nodes;
        addresses = IntStream.range(10, 10 + nodes).toArray();
        Commands.run("ip", "link", "set", "lo", "up");
        Commands.run("ip", "link", "add", "mooring0", "type", "bridge");
        Commands.run("ip", "addr", "add", OUTSIDE + "/16", "dev", "mooring0");
        Commands.run("ip", "link", "set", "mooring0", "up");
        Commands.run("ip", "route", "add", "local", PROVIDERS, "dev", "lo");
        for (int node = 0; node < nodes; node++) {
            String space = space(node);
            Commands.run("ip", "netns", "add", space);
            Commands.run("ip", "link", "add", "port" + node, "type", "veth", "peer", "name", "eth0", "netns", space);
            Commands.run("ip", "link", "set", "port" + node, "master", "mooring0", "up");
            inside(node, "ip", "link", "set", "lo", "up");
            inside(node, "ip", "link", "set", "eth0", "up");
            settle(node);
        }
    }

    private void settle(int node) throws IOException {
        inside(node, "ip", "addr", "add", address(node) + "/16", "dev", "eth0");
        inside(node, "ip", "route", "add", PROVIDERS, "via", OUTSIDE);
    }

    @Override
    public void move(int node) throws IOException {
        addresses[node] += 20;
        inside(node, "ip", "addr", "flush", "dev", "eth0");
        settle(node);
    }

    /** All of the pod's. */
    @Override
    public String listen(int pod) {
        return "0.0.0.0";
    }

    /** Names are files that everybody on this machine would see, and that a killed run leaves behind. */
    private static void ownNames() throws IOException {
        Commands.run("mkdir", "-p", NAMES);
        Commands.run("mount", "-t", "tmpfs", "tmpfs", NAMES);
    }

    /** Whether this machine lets us; only then may one be made. */
    static boolean available() {
        return "yes".equals(System.getenv(ALONE));
    }

    /** Whether a run could have namespaces of its own. */
    static boolean couldBe() {
        return Commands.works(
                "unshare",
                "-n",
                "-m",
                "sh",
                "-c",
                "mkdir -p " + NAMES + " && mount -t tmpfs tmpfs " + NAMES
                        + " && ip netns add mooring-try && ip netns del mooring-try");
    }

    private static String space(int node) {
        return "mooring-n" + (node + 1);
    }

    private static void inside(int node, String... words) throws IOException {
        List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", space(node)));
        all.addAll(List.of(words));
        Commands.run(all.toArray(new String[0]));
    }

    @Override
    public String name() {
        return "a network namespace for each node";
    }

    @Override
    public String bind(int node) {
        return address(node);
    }

    @Override
    public String address(int node) {
        return "10.77.0." + addresses[node];
    }

    @Override
    public String provider(int number) {
        return "10.77." + (128 + number / 250) + "." + (1 + number % 250);
    }

    @Override
    public List<String> prefix(int node) {
        return List.of("ip", "netns", "exec", space(node));
    }

    @Override
    public void started(int node, long pid) {
        // Packets know where they come from.
    }

    @Override
    public void cut(int from, int to) throws IOException {
        inside(from, "ip", "route", "add", "blackhole", address(to) + "/32");
        blackHoles.add(from + " " + address(to));
    }

    @Override
    public boolean canUnplug() {
        return true;
    }

    @Override
    public void unplug(int node) throws IOException {
        Commands.run("ip", "link", "set", "port" + node, "down");
    }

    @Override
    public void heal() throws IOException {
        for (String hole : blackHoles) {
            String[] words = hole.split(" ");
            inside(Integer.parseInt(words[0]), "ip", "route", "del", "blackhole", words[1] + "/32");
        }
        blackHoles.clear();
        for (int node = 0; node < nodes; node++) {
            Commands.run("ip", "link", "set", "port" + node, "up");
        }
    }

    /** What was sent again, or found no way: whoever is cut off sends into the void. */
    @Override
    public long losses(int node) throws IOException {
        String table = Commands.run("ip", "netns", "exec", space(node), "cat", "/proc/net/snmp");
        return counter(table, "Tcp:", "RetransSegs") + counter(table, "Ip:", "OutNoRoutes");
    }

    private static long counter(String table, String layer, String name) {
        List<String> lines =
                table.lines().filter(line -> line.startsWith(layer)).toList();
        int at = List.of(lines.get(0).split(" ")).indexOf(name);
        return Long.parseLong(lines.get(1).split(" ")[at]);
    }

    @Override
    public void close() throws IOException {
        for (int node = 0; node < nodes; node++) {
            if (Files.exists(Path.of(NAMES, space(node)))) {
                Commands.run("ip", "link", "del", "port" + node); // a namespace's end takes it too, but some time later
                Commands.run("ip", "netns", "del", space(node));
            }
        }
        Commands.run("ip", "route", "del", "local", PROVIDERS, "dev", "lo");
        Commands.run("ip", "link", "del", "mooring0");
        Commands.run("umount", "-l", NAMES);
    }
}
