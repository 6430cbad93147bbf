package io.mooring.server.config;

import java.io.PrintStream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.Banner;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.core.env.Environment;

/** The first two lines: what starts where, and who may use it. */
final class StartBanner implements Banner {
    @Override
    public void printBanner(Environment environment, @Nullable Class<?> sourceClass, PrintStream out) {
        String version = MooringVersion.of();
        String bind = environment.getProperty("mooring.bind", "127.0.0.1");
        out.printf(
                "Mooring %s · %s · HTTP %s · sessions %s%s%s · operations %s · data in %s%n",
                version,
                bind,
                environment.getProperty("mooring.http.port", "8848"),
                environment.getProperty("mooring.session.port", "9847"),
                nacos(environment),
                peers(environment),
                environment.getProperty("mooring.operations.port", "8850"),
                environment.getProperty("mooring.data-directory", "data"));
        boolean insecure = environment.getProperty("mooring.insecure", "false").equals("true");
        out.println(
                insecure
                        ? "INSECURE: beyond loopback without authentication; whoever reaches these ports may change everything"
                        : "open mode: loopback only, no authentication");
    }

    private static String nacos(Environment environment) {
        MooringProperties properties = properties(environment);
        return properties.nacos().enabled() ? " · Nacos gRPC " + properties.nacosGrpcPort() : "";
    }

    private static MooringProperties properties(Environment environment) {
        return Binder.get(environment).bindOrCreate("mooring", MooringProperties.class);
    }

    private static String peers(Environment environment) {
        MooringProperties.Cluster cluster = properties(environment).cluster();
        return cluster.isConfigured() ? " · peers " + cluster.port() + " (cluster " + cluster.name() + ")" : "";
    }
}
