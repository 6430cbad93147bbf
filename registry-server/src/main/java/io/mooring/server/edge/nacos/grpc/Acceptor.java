package io.mooring.server.edge.nacos.grpc;

import io.netty.channel.Channel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Accepts only so many connections, and knows the channel of each: gRPC has no way to refuse a connection, nor to end a
 * single one. Confined to the I/O thread, but for the count.
 */
final class Acceptor extends NioServerSocketChannel {
    private final int most;
    private final Runnable refused;
    private final Map<SocketAddress, Channel> channels = new HashMap<>();
    private volatile int open;

    /** @param refused runs for every connection that is one too many */
    Acceptor(int most, Runnable refused) {
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
                refused.run();
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
        count();
        channel.closeFuture().addListener(closed -> {
            channels.remove(remote, channel);
            count();
        });
        return true;
    }

    private void count() {
        open = channels.size();
    }

    /** The open connection from there. */
    @Nullable
    Channel channel(@Nullable SocketAddress remote) {
        return channels.get(remote);
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
