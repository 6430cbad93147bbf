package io.mooring.bench;

import io.mooring.bench.RegistrationRate.Mode;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The front door: {@code java -jar registry-bench.jar jmh|load|memory|start|cluster|nacos …}. */
public final class Bench {
    private static final String USAGE = """
            usage: java -jar registry-bench.jar COMMAND [--name=value …]

              jmh     microbenchmarks; what follows goes to JMH
              load    against a running registry
                        --host=127.0.0.1 --port=9847   its session port
                        --pid=0                        its process, for its processor time
                        --only=rates,push              what to measure
                        --modes=awaited,own,combined,batch,spread   how registrations are sent
                        --total=200000 --rounds=5 --warmups=5 --services=1000 --window=512 --per-frame=64 --sessions=4
                        --instances=1,100,1000 --subscribers=1,100,500 --changes=2000 --warm-changes=1000 --seconds=30
              memory  starts registries and fills them
                        --jar=registry-server.jar --core=0 --port=19847
                        --sessions=5000 --sizes=10000,100000,1000000 --jvm=-Xmx1200m --flags=
              start   from exec to the first answered registration, and what an idle registry takes
                        --jar=registry-server.jar --core=-1 --port=19847 --runs=10 --jvm= --flags=
              cluster starts three registries that know each other
                        --jar=registry-server.jar --core=-1 --port=19847 --jvm= --flags=
                        --only=push,cost,idle,replicas,kill,die,restart   what to measure
                        --samples=1000 --rate=100 --changes=20000 --idle-sessions=10000 --idle-seconds=30
                        --size=1000000 --sessions=1000 --sdk-sessions=100 --kills=3 --restarts=5 --loads=5
              nacos   starts registries and comes to them as Nacos clients do
                        --jar=registry-server.jar --core=0 --port=19847 --jvm= --flags=
                        --only=rates,push,cluster,memory   what to measure
                        --connections=50 --windows=1,50 --services=1000 --queries=1000 --warmups=4 --rounds=5
                        --sizes=1000x100,1000x500,100x1000   instances x subscribers
                        --changes=1500 --warm-changes=1500 --seconds=15   of each: warming and measuring
                        --samples=1000 --rate=100 --instances=10000
            """;

    private Bench() {}

    /** @param args a command and its options */
    public static void main(String[] args) throws Exception {
        List<String> rest = args.length == 0 ? List.of() : Arrays.asList(args).subList(1, args.length);
        try {
            switch (args.length == 0 ? "" : args[0]) {
                case "jmh" -> org.openjdk.jmh.Main.main(rest.toArray(new String[0]));
                case "load" -> load(new Options(rest));
                case "memory" -> memory(new Options(rest));
                case "start" -> start(new Options(rest));
                case "cluster" -> cluster(new Options(rest));
                case "nacos" -> nacos(new Options(rest));
                default -> throw new IllegalArgumentException("command: " + String.join(" ", args));
            }
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage() + "\n\n" + USAGE);
            System.exit(2);
        }
    }

    @SuppressWarnings("AddressSelection") // the one address that was asked for
    private static void load(Options options) {
        InetSocketAddress server =
                new InetSocketAddress(options.text("host", "127.0.0.1"), options.number("port", 9_847));
        ServerProcess process = ServerProcess.running(options.number("pid", 0));
        Set<String> only = Set.of(options.text("only", "rates,push").split(","));
        Set<String> modes = Set.of(
                options.text("modes", "awaited,own,combined,batch,spread").split(","));
        int total = options.number("total", 200_000);
        int rounds = options.number("rounds", 5);
        int warmUps = options.number("warmups", 5);
        int services = options.number("services", 1_000);
        int window = options.number("window", 512);
        int perFrame = options.number("per-frame", 64);
        int sessions = options.number("sessions", 4);
        List<Integer> instances = options.numbers("instances", "1,100,1000");
        List<Integer> subscribers = options.numbers("subscribers", "1,100,500");
        int changes = options.number("changes", 2_000);
        int warmChanges = options.number("warm-changes", 1_000);
        int seconds = options.number("seconds", 30);
        options.refuseUnknown();

        EventLoopGroup threads = threads();
        try {
            if (only.contains("rates")) {
                RegistrationRate rate = new RegistrationRate(threads, server, process, services);
                Table table =
                        new Table("registrations", "instances/s", "min – max", "server CPU µs", "p50 ms", "p99 ms");
                Map<String, Mode> all = new LinkedHashMap<>();
                all.put("awaited", new Mode("one by one, each awaited", 1, 1, 1, 1, 1));
                all.put("own", new Mode("pipelined one by one, own frames", sessions, window, 1, 1, 1));
                all.put(
                        "combined",
                        new Mode(
                                "pipelined one by one, " + perFrame + " in a frame", sessions, window, 1, perFrame, 1));
                all.put("batch", new Mode("batched by 100 of one service", sessions, 8, 100, 1, 100));
                all.put("spread", new Mode("batched by 100 of 100 services", sessions, 8, 100, 1, 1));
                for (Map.Entry<String, Mode> mode : all.entrySet()) {
                    if (modes.contains(mode.getKey())) {
                        int inRound = mode.getKey().equals("awaited") ? total / 10 : total;
                        rate.measure(mode.getValue(), inRound, warmUps, rounds, table);
                    }
                }
                table.print("Registrations: " + total + " new instances of " + services + " services in a round, "
                        + rounds + " rounds (median); " + sessions + " sessions, window " + window
                        + "; times are per request");
            }
            if (only.contains("push")) {
                PushLatency push = new PushLatency(threads, server, process);
                Table table = new Table(
                        "instances × subscribers",
                        "changes",
                        "p50 ms",
                        "p99 ms",
                        "max ms",
                        "server CPU ms",
                        "payload B",
                        "lo bytes",
                        "lo packets",
                        "changes/s");
                for (int size : instances) {
                    for (int listeners : subscribers) {
                        push.measure(size, listeners, warmChanges, changes, seconds, table);
                    }
                }
                table.print("Push: change sent to last subscriber; processor time, payload received by all subscribers,"
                        + " and what went over lo, per change");
            }
        } finally {
            threads.shutdownGracefully();
        }
    }

    private static void memory(Options options) throws IOException {
        ServerMemory memory = new ServerMemory(
                Path.of(options.text("jar", "registry-server/target/registry-server.jar")),
                options.words("jvm", "-Xmx1200m"),
                options.words("flags", ""),
                options.number("core", 0),
                options.number("port", 19_847));
        int sessions = options.number("sessions", 5_000);
        List<Integer> sizes = options.numbers("sizes", "10000,100000,1000000");
        options.refuseUnknown();
        EventLoopGroup threads = threads();
        try {
            memory.idleSessions(threads, sessions);
            memory.instances(threads, sizes);
        } finally {
            threads.shutdownGracefully();
        }
    }

    private static void start(Options options) throws IOException {
        StartTime start = new StartTime(
                Path.of(options.text("jar", "registry-server/target/registry-server.jar")),
                options.words("jvm", ""),
                options.words("flags", ""),
                options.number("core", -1),
                options.number("port", 19_847));
        int runs = options.number("runs", 10);
        options.refuseUnknown();
        EventLoopGroup threads = threads();
        try {
            start.measure(threads, runs);
        } finally {
            threads.shutdownGracefully();
        }
    }

    private static void cluster(Options options) throws IOException {
        Path jar = Path.of(options.text("jar", "registry-server/target/registry-server.jar"));
        List<String> jvm = options.words("jvm", "-Xmx1200m");
        List<String> flags = options.words("flags", "");
        int core = options.number("core", -1);
        int port = options.number("port", 19_847);
        Set<String> only = Set.of(
                options.text("only", "push,cost,idle,replicas,kill,die,restart").split(","));
        int samples = options.number("samples", 1_000);
        int rate = options.number("rate", 100);
        int changes = options.number("changes", 20_000);
        int idleSessions = options.number("idle-sessions", 10_000);
        int idleSeconds = options.number("idle-seconds", 30);
        int size = options.number("size", 1_000_000);
        int sessions = options.number("sessions", 1_000);
        int sdkSessions = options.number("sdk-sessions", 100);
        int kills = options.number("kills", 3);
        int restarts = options.number("restarts", 5);
        int loads = options.number("loads", 5);
        options.refuseUnknown();
        EventLoopGroup threads = threads();
        try {
            if (only.contains("push")) {
                Table table = new Table("registered at A", "samples", "p50 ms", "p99 ms", "max ms");
                try (ClusterNodes nodes = new ClusterNodes(jar, jvm, flags, core, port, 3)) {
                    nodes.startAll();
                    for (int instances : List.of(10, 1_000)) {
                        new ClusterPush(threads, nodes).latency(instances, samples, samples, rate, table);
                    }
                }
                table.print("A to B: a change sent to A until it is there, " + rate + " changes per second");
            }
            if (only.contains("cost")) {
                Table table = new Table(
                        "new instances at A",
                        "instances/s",
                        "CPU µs at A",
                        "CPU µs at B",
                        "peer bytes to each follower");
                for (int count : List.of(1, 3)) {
                    try (ClusterNodes nodes = new ClusterNodes(jar, jvm, flags, core, port, count)) {
                        nodes.startAll();
                        ClusterPush push = new ClusterPush(threads, nodes);
                        push.cost(changes, 0, table);
                        push.cost(changes / 4, 500, table);
                    }
                }
                table.print("What replication costs for each change, nobody subscribed");
            }
            if (only.contains("idle")) {
                Table table = new Table("idle", "peer bytes/s, all lines", "CPU of a node, %");
                try (ClusterNodes nodes = new ClusterNodes(jar, jvm, flags, core, port, 3)) {
                    nodes.startAll();
                    new ClusterSizes(threads, nodes).idle(idleSessions, idleSeconds, table);
                }
                table.print("Three nodes among themselves when nothing changes, over " + idleSeconds + " s");
            }
            if (only.contains("replicas")) {
                Table table =
                        new Table("node", "instances", "heap MB", "heap B each", "resident MB", "complete after s");
                Table load = new Table(
                        "instances", "exec to ready, s", "processor s", "listed then", "exec to all listed, s");
                try (ClusterNodes nodes = new ClusterNodes(jar, jvm, flags, core, port, 3)) {
                    new ClusterSizes(threads, nodes).replicas(size, loads, table, load);
                }
                table.print(
                        "Replicas: instances of 1,000 services in 1,000 sessions at A, three metadata entries, with "
                                + String.join(" ", jvm));
                load.print("A node that starts with nothing beside two that have them all");
            }
            clusterLoss(
                    threads,
                    only,
                    sessions,
                    sdkSessions,
                    kills,
                    restarts,
                    () -> new ClusterNodes(jar, jvm, flags, core, port, 3));
        } finally {
            threads.shutdownGracefully();
        }
    }

    private interface Nodes {
        ClusterNodes start() throws IOException;
    }

    private static void clusterLoss(
            EventLoopGroup threads,
            Set<String> only,
            int sessions,
            int sdkSessions,
            int kills,
            int restarts,
            Nodes cluster)
            throws IOException {
        if (only.contains("kill")) {
            try (ClusterNodes nodes = cluster.start()) {
                nodes.startAll();
                ClusterLoss loss = new ClusterLoss(threads, nodes);
                loss.warmUp(sessions);
                for (int time = 1; time <= kills; time++) {
                    if (time > 1) {
                        nodes.start(0);
                        nodes.awaitReady(0);
                    }
                    Table table = new Table("kill -9 of A", "count", "p50 ms", "p99 ms", "max ms");
                    loss.kill(time, sessions, sdkSessions, 20, 10, table);
                    table.print("A dies for the " + time + ". time in the life of these processes, with " + sessions
                            + " sessions, an instance each, and each changes it then; " + sdkSessions
                            + " are on the SDK, the others do what it does");
                }
            }
        }
        if (only.contains("die")) {
            Table table =
                    new Table("publishers and their node die", "instances", "first gone s", "last gone s", "causes");
            for (boolean evidence : List.of(true, false)) {
                try (ClusterNodes nodes = cluster.start()) {
                    nodes.startAll();
                    new ClusterLoss(threads, nodes).die(10, 30, evidence, table);
                }
            }
            table.print("Instances whose process and node are killed at once, at a subscriber of another node");
        }
        if (only.contains("restart")) {
            Table table = new Table("all nodes killed and started", "count", "p50 ms", "p99 ms", "max ms");
            try (ClusterNodes nodes = cluster.start()) {
                nodes.startAll();
                new ClusterLoss(threads, nodes).restarts(restarts, 20, 100, 5, table);
            }
            table.print("Restart of three nodes with 2,000 instances of 20 publishers, " + restarts + " times");
        }
    }

    private static void nacos(Options options) throws IOException {
        EventLoopGroup threads = threads();
        try {
            new NacosBench(
                            threads,
                            Path.of(options.text("jar", "registry-server/target/registry-server.jar")),
                            options.words("jvm", "-Xms1g -Xmx1g -Xmn512m"),
                            options.words("flags", ""),
                            options.number("core", 0),
                            options.number("port", 19_847))
                    .run(options);
        } finally {
            threads.shutdownGracefully();
        }
    }

    /** One I/O thread: the load has one core, and needs no locks. */
    private static EventLoopGroup threads() {
        return new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    }
}
