package io.mooring.server.edge.probe;

import io.mooring.model.InstanceId;
import io.mooring.server.check.Checker;
import io.mooring.server.durable.ServiceSettings.Check;
import io.mooring.server.durable.ServiceSettings.ClusterSettings;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * {@link Checker} by connecting, or by one GET of which the status is looked at. Only the registered address is asked, within
 * the {@linkplain AddressRules rules}; an answer that points elsewhere is a status like others; of an answer nothing is
 * kept, and not more than its head is read.
 */
public final class NettyChecker implements Checker {
    private static final int LONGEST_LINE = 4_096;
    private static final int LONGEST_HEAD = 16_384;
    private static final int CHUNK = 4_096;

    private final Bootstrap bootstrap;
    private final Executor loop;
    private final AddressRules rules;
    private final Duration timeout;

    /**
     * @param loop where results come back
     * @param timeout of a connection, and of an answer on it
     * @param local whether addresses of this machine and its link may be asked
     */
    public NettyChecker(EventLoopGroup group, Executor loop, Duration timeout, boolean local) {
        this.loop = loop;
        this.timeout = timeout;
        this.rules = new AddressRules(local);
        bootstrap = new Bootstrap()
                .group(group)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, Math.toIntExact(timeout.toMillis()));
    }

    @Override
    public void check(InstanceId instance, ClusterSettings how, Consumer<Result> result) {
        int port = how.ofInstance() ? instance.port() : how.port();
        Optional<InetAddress> address = rules.allowed(instance.host());
        Optional<DefaultFullHttpRequest> request =
                how.check() == Check.HTTP ? request(instance, port, how) : Optional.empty();
        boolean known = how.check() == Check.TCP || request.isPresent();
        if (address.isEmpty() || port == 0 || !known) {
            loop.execute(() -> result.accept(Result.NOT_ASKED));
            return;
        }
        Once once = new Once(result);
        boolean reads = request.isPresent(); // a check by TCP reads nothing, so that it meets no reset either
        bootstrap
                .clone()
                .option(ChannelOption.AUTO_READ, reads)
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        if (request.isPresent()) {
                            channel.pipeline()
                                    .addLast(
                                            new HttpClientCodec(LONGEST_LINE, LONGEST_HEAD, CHUNK),
                                            new Status(how.expectedCode(), once));
                        }
                    }
                })
                .connect(new InetSocketAddress(address.get(), port))
                .addListener(connected -> {
                    Channel channel = ((ChannelFuture) connected).channel();
                    if (!connected.isSuccess()) {
                        once.is(isRefusal(connected.cause()) ? Result.REFUSED : Result.FAILED);
                    } else if (request.isEmpty()) {
                        once.is(Result.PASSED);
                        channel.close();
                    } else {
                        channel.closeFuture().addListener(closed -> once.is(Result.FAILED));
                        channel.eventLoop().schedule(() -> channel.close(), timeout.toMillis(), TimeUnit.MILLISECONDS);
                        channel.writeAndFlush(request.get());
                    }
                });
    }

    /** Nothing if what was settled makes none: whoever settles it has no line of the request to himself. */
    private static Optional<DefaultFullHttpRequest> request(InstanceId instance, int port, ClusterSettings how) {
        String path = how.path().isEmpty() ? "/" : how.path();
        boolean sound = path.startsWith("/") && path.chars().allMatch(c -> c > ' ' && c < 0x7f);
        if (!sound) {
            return Optional.empty();
        }
        DefaultFullHttpRequest request =
                new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, path, Unpooled.EMPTY_BUFFER);
        request.headers().set(HttpHeaderNames.USER_AGENT, "mooring");
        try {
            for (String header : how.headers().split("\\|", -1)) {
                int colon = header.indexOf(':');
                if (colon > 0) {
                    request.headers()
                            .set(
                                    header.substring(0, colon).strip(),
                                    header.substring(colon + 1).strip());
                }
            }
        } catch (IllegalArgumentException e) {
            return Optional.empty(); // characters that no header may have
        }
        String host = instance.host().indexOf(':') >= 0 ? "[" + instance.host() + "]" : instance.host();
        if (!request.headers().contains(HttpHeaderNames.HOST)) {
            request.headers().set(HttpHeaderNames.HOST, host + ":" + port);
        }
        request.headers().remove(HttpHeaderNames.TRANSFER_ENCODING);
        request.headers().remove(HttpHeaderNames.CONTENT_LENGTH);
        request.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        return Optional.of(request);
    }

    private static boolean isRefusal(Throwable cause) {
        return cause instanceof ConnectException
                && String.valueOf(cause.getMessage()).contains("refused");
    }

    /** The first result counts. Belongs to one I/O thread. */
    private final class Once {
        private final Consumer<Result> result;
        private boolean said;

        Once(Consumer<Result> result) {
            this.result = result;
        }

        void is(Result found) {
            if (!said) {
                said = true;
                loop.execute(() -> result.accept(found));
            }
        }
    }

    private static final class Status extends SimpleChannelInboundHandler<HttpObject> {
        private final int expected;
        private final Once once;

        Status(int expected, Once once) {
            this.expected = expected;
            this.once = once;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
            if (message instanceof HttpResponse response) {
                boolean right = response.decoderResult().isSuccess()
                        && response.status().code() == expected;
                once.is(right ? Result.PASSED : Result.FAILED);
                context.close();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            context.close(); // which counts as a failure
        }
    }
}
