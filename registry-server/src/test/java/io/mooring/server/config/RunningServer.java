package io.mooring.server.config;

import io.mooring.server.node.RegistryNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.springframework.context.ConfigurableApplicationContext;

/** A server on ports of its own. */
public final class RunningServer implements AutoCloseable {
    private final ConfigurableApplicationContext context;

    private RunningServer(ConfigurableApplicationContext context) {
        this.context = context;
    }

    /** @param properties beyond the ports and a data directory, {@code --name=value} */
    public static RunningServer start(String... properties) {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("--mooring.http.port", "0");
        all.put("--mooring.operations.port", "0");
        all.put("--mooring.session.port", "0");
        all.put("--mooring.cluster.port", "0");
        all.put("--mooring.nacos.grpc-port", "0");
        all.put(
                "--mooring.data-directory",
                "target/data-" + ProcessHandle.current().pid() + "-" + System.nanoTime());
        for (String property : properties) {
            int equals = property.indexOf('=');
            all.put(property.substring(0, equals), property.substring(equals + 1));
        }
        String[] arguments = all.entrySet().stream()
                .map(e -> e.getKey() + "=" + e.getValue())
                .toArray(String[]::new);
        return new RunningServer(Application.prepared(ServerConfiguration.class).run(arguments));
    }

    /** Itself, once its node says that it is ready; until then some requests are refused. */
    public RunningServer ready() {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!node().status().ready()) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("not ready within 30 s: " + node().status());
            }
            Thread.onSpinWait();
        }
        return this;
    }

    public RegistryNode node() {
        return context.getBean(RegistryNode.class);
    }

    public <T> T bean(Class<T> type) {
        return context.getBean(type);
    }

    public int port() {
        return Integer.parseInt(context.getEnvironment().getRequiredProperty("local.server.port"));
    }

    public int operationsPort() {
        return Integer.parseInt(context.getEnvironment().getRequiredProperty("local.management.port"));
    }

    /** The port of peers; negative when it is not open. */
    public int peerPort() {
        return bean(PeerPort.class).port();
    }

    /** Of Nacos clients over gRPC; negative when it is not open. */
    public int nacosPort() {
        return bean(NacosGrpc.class).port();
    }

    @Override
    public void close() {
        context.close();
    }
}
