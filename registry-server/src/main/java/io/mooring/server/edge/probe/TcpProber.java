package io.mooring.server.edge.probe;

import io.mooring.server.lease.Prober;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.NetUtil;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * Connects once and hangs up. Only literal addresses are tried: DNS has no part in deciding who lives. Of port 0, where
 * nobody answers by design, nothing is ever found out.
 */
public final class TcpProber implements Prober {
    private final Bootstrap bootstrap;
    private final Executor loop;

    /** @param loop where verdicts come back */
    public TcpProber(EventLoopGroup group, Executor loop, Duration timeout) {
        this.loop = loop;
        bootstrap = new Bootstrap()
                .group(group)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, Math.toIntExact(timeout.toMillis()))
                .option(ChannelOption.AUTO_READ, false) // nor that whoever answers resets the connection at once
                .handler(
                        new ChannelInitializer<SocketChannel>() { // makes nothing: we only want to know who answers
                            @Override
                            protected void initChannel(SocketChannel channel) {}
                        });
    }

    @Override
    public void probe(String host, int port, Consumer<Verdict> verdict) {
        byte[] address = NetUtil.createByteArrayFromIpAddressString(host);
        if (address == null || port == 0) {
            loop.execute(() -> verdict.accept(Verdict.UNKNOWN));
            return;
        }
        try {
            InetSocketAddress target = new InetSocketAddress(InetAddress.getByAddress(address), port);
            ChannelFuture connected = bootstrap.connect(target);
            connected.addListener(result -> {
                Verdict found = result.isSuccess()
                        ? Verdict.ANSWERED
                        : isRefusal(result.cause()) ? Verdict.REFUSED : Verdict.UNKNOWN;
                loop.execute(() -> verdict.accept(found)); // whatever else goes wrong: exactly one verdict
                connected.channel().close();
            });
        } catch (UnknownHostException e) {
            loop.execute(() -> verdict.accept(Verdict.UNKNOWN)); // cannot be: the bytes are an address
        }
    }

    /** A reset from the host itself. A timeout, or "no route", is the network's word and says nothing of the host. */
    private static boolean isRefusal(Throwable cause) {
        return cause instanceof ConnectException
                && String.valueOf(cause.getMessage()).contains("refused");
    }
}
