package io.mooring.compatibility.application;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Objects;
import org.apache.dubbo.config.ApplicationConfig;
import org.apache.dubbo.config.ProtocolConfig;
import org.apache.dubbo.config.ReferenceConfig;
import org.apache.dubbo.config.RegistryConfig;
import org.apache.dubbo.config.ServiceConfig;
import org.apache.dubbo.config.bootstrap.DubboBootstrap;
import org.jspecify.annotations.Nullable;

/** An application of Dubbo, of which its user has said where the registry is, and in which way it registers. */
public final class DubboProgram extends Program {
    private final DubboBootstrap dubbo = DubboBootstrap.getInstance();
    private @Nullable Greeter greeter;

    /** @param arguments none */
    public static void main(String[] arguments) throws Exception {
        System.setProperty("dubbo.application.logger", "slf4j");
        new DubboProgram().run(version(DubboBootstrap.class, "dubbo"));
    }

    @Override
    void open(JsonNode words, ObjectNode answer) throws IOException {
        ApplicationConfig application =
                new ApplicationConfig(words.path("application").asText());
        application.setQosEnable(false); // a port of its own, for operators
        String[] servers = words.path("servers").asText().split(",", 2);
        RegistryConfig registry =
                new RegistryConfig("nacos://" + servers[0] + (servers.length > 1 ? "?backup=" + servers[1] : ""));
        String mode = words.path("mode").asText();
        if (!mode.isEmpty()) {
            registry.setRegisterMode(mode);
        }
        dubbo.application(application).registry(registry);
        String provides = words.path("provides").asText();
        if (!provides.isEmpty()) {
            String address =
                    "port " + freePort(); // the host is Dubbo's to choose: it refuses those of the loopback device
            ServiceConfig<Greeter> service = new ServiceConfig<>();
            service.setInterface(Greeter.class);
            service.setGroup(provides);
            service.setRef(() -> address);
            int weight = words.path("weight").asInt();
            if (weight > 0) {
                service.setWeight(weight);
                service.setWarmup(1); // milliseconds, else it takes ten minutes to get its share
            }
            dubbo.protocol(new ProtocolConfig("dubbo", port(address))).service(service);
            answer.put("address", address);
        }
        ReferenceConfig<Greeter> reference = new ReferenceConfig<>();
        String calls = words.path("consumes").asText();
        if (!calls.isEmpty()) {
            reference.setInterface(Greeter.class);
            reference.setGroup(calls);
            reference.setCheck(false); // it may start before its providers
            reference.setRetries(0);
            reference.setTimeout(2_000);
            dubbo.reference(reference);
        }
        dubbo.start();
        if (!calls.isEmpty()) {
            greeter = reference.get();
        }
    }

    private static int port(String address) {
        return Integer.parseInt(address.substring(address.indexOf(' ') + 1));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
            return socket.getLocalPort();
        }
    }

    @Override
    String call(String service) {
        return Objects.requireNonNull(greeter, "open with `consumes` comes first")
                .who();
    }

    @Override
    JsonNode instances(String service) {
        throw new UnsupportedOperationException("Dubbo keeps them to itself");
    }

    @Override
    void leave() {
        throw new UnsupportedOperationException("Dubbo does so when it closes");
    }

    @Override
    void close() {
        dubbo.stop();
    }
}
