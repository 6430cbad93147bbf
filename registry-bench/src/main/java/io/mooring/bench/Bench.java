package io.mooring.bench;

import java.util.Arrays;

/** The front door: {@code java -jar registry-bench.jar jmh|load|memory|start …}. */
public final class Bench {
    private Bench() {}

    public static void main(String[] args) throws Exception {
        String[] rest = args.length == 0 ? args : Arrays.copyOfRange(args, 1, args.length);
        switch (args.length == 0 ? "" : args[0]) {
            case "jmh" -> org.openjdk.jmh.Main.main(rest);
            default -> {
                System.err.println("usage: java -jar registry-bench.jar jmh|load|memory|start [--name=value …]");
                System.exit(2);
            }
        }
    }
}
