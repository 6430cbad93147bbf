package io.mooring.server.edge.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mooring.server.lease.Prober.Verdict;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TcpProberTest {
    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final TcpProber prober = new TcpProber(group, Runnable::run, Duration.ofSeconds(5));

    @AfterEach
    void stop() {
        group.shutdownGracefully(0, 100, TimeUnit.MILLISECONDS);
    }

    private Verdict probe(String host, int port) throws Exception {
        CompletableFuture<Verdict> verdict = new CompletableFuture<>();
        prober.probe(host, port, verdict::complete);
        return verdict.get(20, TimeUnit.SECONDS);
    }

    @Test
    void saysWhatItFoundEveryTime() throws Exception {
        int free;
        try (ServerSocket listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            free = listening.getLocalPort();
            for (int i = 0; i < 5; i++) {
                assertEquals(Verdict.ANSWERED, probe("127.0.0.1", free));
            }
        } catch (IOException e) {
            throw new AssertionError("no port on loopback", e);
        }
        for (int i = 0; i < 5; i++) {
            assertEquals(Verdict.REFUSED, probe("127.0.0.1", free));
        }
    }

    @Test
    void asksNoResolver() throws Exception {
        assertEquals(Verdict.UNKNOWN, probe("localhost", 1));
    }
}
