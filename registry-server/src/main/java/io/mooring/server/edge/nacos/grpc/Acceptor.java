package io.mooring.server.edge.nacos.grpc;

import io.netty.channel.Channel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Accepts only so many connections, and knows the channel of each: gRPC has no way to refuse a connection, nor to end a
 * single one. Confined to the I/O thread, but for the count.
 */
final class Acceptor extends NioServerSocketChannel {
    private final int most;
    private final Consumer<String> refused;
    private final Map<SocketAddress, Channel> channels = new HashMap<>();
    private final Map<Channel, Long> mute = new LinkedHashMap<>(); // since when, the oldest first
    private volatile int open;

    /** @param refused gets why a connection was refused */
    Acceptor(int most, Consumer<String> refused) {
        this.most = most;
        this.refused = refused;
    }

    @Override
    protected int doReadMessages(List<Object> accepted) throws Exception {
        int count = super.doReadMessages(accepted);
        for (int i = accepted.size() - 1; i >= 0; i--) {
            if (accepted.get(i) instanceof Channel channel && !admit(channel)) {
                accepted.remove(i);
                channel.unsafe().closeForcibly();
                refused.accept("overloaded");
            }
        }
        return count;
    }

    private boolean admit(Channel channel) {
        SocketAddress remote = channel.remoteAddress();
        if (remote == null || channels.get(remote) == channel) {
            return remote != null;
        }
        if (channels.size() >= most) {
            return false;
        }
        channels.put(remote, channel);
        mute.put(channel, System.nanoTime());
        count();
        channel.closeFuture().addListener(closed -> {
            channels.remove(remote, channel);
            mute.remove(channel);
            count();
        });
        return true;
    }

    private void count() {
        open = channels.size();
    }

    /** The open connection from there, which has begun to speak HTTP/2. */
    @Nullable
    Channel speaks(@Nullable SocketAddress remote) {
        Channel channel = channels.get(remote);
        if (channel != null) {
            mute.remove(channel);
        }
        return channel;
    }

    /** Closes those that have not spoken for so long; gRPC does not know them yet. */
    void closeMute(long now, Duration patience) {
        List<Channel> late = new ArrayList<>();
        for (Map.Entry<Channel, Long> each : mute.entrySet()) {
            if (now - each.getValue() < patience.toNanos()) {
                break;
            }
            late.add(each.getKey());
        }
        for (Channel channel : late) {
            refused.accept("too_slow");
            channel.unsafe().close(channel.voidPromise());
        }
    }

    /** All open connections. */
    List<Channel> channels() {
        return new ArrayList<>(channels.values());
    }

    /** Open connections; any thread. */
    int open() {
        return open;
    }
}
