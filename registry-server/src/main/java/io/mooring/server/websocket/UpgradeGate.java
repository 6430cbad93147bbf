package io.mooring.server.websocket;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Lets the upgrades through that a port is for and answers everything else, in words, then closes. */
public abstract class UpgradeGate extends SimpleChannelInboundHandler<FullHttpRequest> {
    /**
     * Why a request is not let in.
     *
     * @param text a line for people
     */
    protected record Objection(HttpResponseStatus status, String text) {}

    /** What speaks against a request that is well-formed; empty lets it through. On the I/O thread. */
    protected abstract Optional<Objection> objection(FullHttpRequest request);

    protected static Optional<Objection> objection(HttpResponseStatus status, String text) {
        return Optional.of(new Objection(status, text));
    }

    /** Whether the client asks for a WebSocket. */
    protected static boolean isUpgrade(FullHttpRequest request) {
        return request.headers().contains(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET, true);
    }

    @Override
    protected final void channelRead0(ChannelHandlerContext ctx, FullHttpRequest request) {
        Optional<Objection> objection = request.decoderResult().isFailure()
                ? objection(HttpResponseStatus.BAD_REQUEST, "not an HTTP request this port understands")
                : objection(request);
        if (objection.isPresent()) {
            refuse(ctx, objection.get());
        } else {
            ctx.pipeline().remove(this);
            ctx.fireChannelRead(request.retain());
        }
    }

    private static void refuse(ChannelHandlerContext ctx, Objection objection) {
        byte[] body = (objection.text() + "\n").getBytes(StandardCharsets.UTF_8);
        FullHttpResponse response =
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, objection.status(), Unpooled.wrappedBuffer(body));
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, "text/plain; charset=utf-8")
                .set(HttpHeaderNames.CONTENT_LENGTH, body.length)
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        if (objection.status().equals(HttpResponseStatus.UPGRADE_REQUIRED)) {
            response.headers().set(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET);
        }
        ctx.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
    }
}
