package io.mooring.bench;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One Nacos client on the wire, as cheap as it gets: an HTTP/2 connection with its stream, and requests beside it. Confined to
 * its I/O thread once it is open, but for what says otherwise.
 *
 * <p>It speaks as much HTTP/2 as the load needs. Its headers travel as those of a gRPC client do, by their places in the
 * table from the second request on. Headers of answers are not read: whether one went well is in its message. The window
 * for sending is not watched, for what is unanswered is far less than what a server must grant.
 */
final class NacosClient extends ByteToMessageDecoder {
    /** Gets what comes. */
    interface Receiver {
        /** A request was answered; the time is by {@link System#nanoTime}. */
        default void answered(NacosClient from, long sentAt, long at) {}

        /** A list was pushed, and has its ack. */
        default void pushed(NacosClient from, long at) {}
    }

    private static final Receiver NOBODY = new Receiver() {};

    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int RESET = 3;
    private static final int SETTINGS = 4;
    private static final int PING = 6;
    private static final int GO_AWAY = 7;
    private static final int WINDOW_UPDATE = 8;
    private static final int CONTINUATION = 9;
    private static final int END_STREAM = 1;
    private static final int END_HEADERS = 4;
    private static final int ACK = 1;
    private static final int FRAME_HEAD = 9;
    private static final int LARGEST_FRAME = 16_384;
    private static final int WINDOW = 1 << 20; // gRPC's own
    private static final int DEFAULT_WINDOW = 65_535;
    private static final int OPENING_AT_ONCE = 64;
    private static final int UNANSWERED = 4_096;

    private static final byte[] REQUEST = hex("83 86 c3 c2 c1 c0 bf be");
    private static final String CHECK = "{\"headers\":{},\"module\":\"internal\"}";
    private static final String SET_UP = "{\"headers\":{},\"clientVersion\":\"Nacos-Java-Client:v2.5.1\",\"labels\":"
            + "{\"source\":\"sdk\",\"module\":\"naming\",\"AppName\":\"mooring-bench\",\"tls.enable\":\"false\"},"
            + "\"abilityTable\":{},\"module\":\"internal\"}";

    private final CompletableFuture<NacosClient> open = new CompletableFuture<>();
    private final long[] sentAt = new long[UNANSWERED]; // by stream
    private final byte[] found = new byte[UNANSWERED]; // by stream: see NacosMessage.findWell
    private final ByteBuf partial = Unpooled.buffer(0); // of a message on the stream
    private @Nullable Channel channel;
    private Receiver receiver = NOBODY;
    private int nextStream = 1;
    private int pushStream;
    private int unannounced; // bytes the server does not know yet that they were read
    private int unannouncedOfPushes;
    private boolean reading;
    private long received;
    private long well;
    private long ended;
    private long pushes;
    private boolean keeps;
    private byte[] kept = {};
    private boolean closing;

    private static byte[] hex(String bytes) {
        return ByteBufUtil.decodeHexDump(bytes.replace(" ", ""));
    }

    static NacosClient open(EventLoopGroup threads, InetSocketAddress server) {
        return openMany(threads, server, 1).get(0);
    }

    /** Opens that many and waits until the server has acknowledged the set-up of all. */
    static List<NacosClient> openMany(EventLoopGroup threads, InetSocketAddress server, int count) {
        List<NacosClient> out = new ArrayList<>();
        Deque<NacosClient> opening = new ArrayDeque<>();
        for (int i = 0; i < count; i++) {
            NacosClient client = new NacosClient();
            client.connect(threads, server);
            out.add(client);
            opening.add(client);
            if (opening.size() == OPENING_AT_ONCE) {
                opening.remove().awaitOpen();
            }
        }
        opening.forEach(NacosClient::awaitOpen);
        return out;
    }

    private void awaitOpen() {
        open.orTimeout(30, TimeUnit.SECONDS).join();
    }

    private void connect(EventLoopGroup threads, InetSocketAddress server) {
        new Bootstrap()
                .group(threads)
                .channel(NioSocketChannel.class)
                .handler(this)
                .connect(server)
                .addListener(done -> {
                    if (!done.isSuccess()) {
                        open.completeExceptionally(done.cause());
                    }
                });
    }

    // ---- out

    @Override
    public void channelActive(ChannelHandlerContext context) {
        Channel active = context.channel();
        channel = active;
        ByteBuf out = active.alloc().buffer();
        out.writeBytes(PREFACE);
        frame(out, 6, SETTINGS, 0, 0);
        out.writeShort(4); // the window of each stream
        out.writeInt(WINDOW);
        windowUpdate(out, 0, WINDOW - DEFAULT_WINDOW);

        int check = stream();
        ByteBuf headers = headers("/Request/request", true, active);
        frame(out, headers.readableBytes(), HEADERS, END_HEADERS, check);
        out.writeBytes(headers);
        headers.release();
        data(out, check, END_STREAM, "ServerCheckRequest", Unpooled.copiedBuffer(CHECK, StandardCharsets.US_ASCII));
        active.writeAndFlush(out, active.voidPromise());
    }

    private int stream() {
        int stream = nextStream;
        nextStream += 2;
        return stream;
    }

    /** What was answered to the check was well: comes next. */
    private void setUp() {
        Channel to = channel();
        pushStream = stream();
        ByteBuf out = to.alloc().buffer();
        ByteBuf headers = headers("/BiRequestStream/requestBiStream", false, to);
        frame(out, headers.readableBytes(), HEADERS, END_HEADERS, pushStream);
        out.writeBytes(headers);
        headers.release();
        data(out, pushStream, 0, "ConnectionSetupRequest", Unpooled.copiedBuffer(SET_UP, StandardCharsets.US_ASCII));
        to.writeAndFlush(out, to.voidPromise());
    }

    /** HPACK. The first ones leave six entries in the table, to which {@link #REQUEST} refers. */
    private static ByteBuf headers(String path, boolean first, Channel channel) {
        ByteBuf out = channel.alloc().buffer();
        if (!first) {
            out.writeBytes(hex("83 86 04")); // not for the table
            text(out, path);
            out.writeBytes(REQUEST, 3, REQUEST.length - 3);
            return out;
        }
        out.writeBytes(hex("83 86 44"));
        text(out, path);
        out.writeByte(0x41);
        text(out, "127.0.0.1:9848");
        out.writeByte(0x5f);
        text(out, "application/grpc");
        out.writeByte(0x40);
        text(out, "te");
        text(out, "trailers");
        out.writeByte(0x7a);
        text(out, "mooring-bench");
        out.writeByte(0x40);
        text(out, "grpc-accept-encoding");
        text(out, "gzip");
        return out;
    }

    private static void text(ByteBuf out, String text) {
        out.writeByte(text.length());
        Workload.text(out, text);
    }

    private static void frame(ByteBuf out, int length, int type, int flags, int stream) {
        out.writeMedium(length);
        out.writeByte(type);
        out.writeByte(flags);
        out.writeInt(stream);
    }

    private static void windowUpdate(ByteBuf out, int stream, int bytes) {
        frame(out, 4, WINDOW_UPDATE, 0, stream);
        out.writeInt(bytes);
    }

    /** Takes the text over. */
    private static void data(ByteBuf out, int stream, int flags, String type, ByteBuf json) {
        ByteBuf message = Unpooled.buffer(json.readableBytes() + 128);
        NacosMessage.write(message, type, json);
        json.release();
        while (message.readableBytes() > LARGEST_FRAME) {
            frame(out, LARGEST_FRAME, DATA, 0, stream);
            out.writeBytes(message, LARGEST_FRAME);
        }
        frame(out, message.readableBytes(), DATA, flags, stream);
        out.writeBytes(message);
    }

    /** Asks something; takes the text over. From any thread, but then it may be that the answer comes before it returns. */
    void request(String type, ByteBuf json) {
        Channel to = channel();
        if (!to.eventLoop().inEventLoop()) {
            to.eventLoop().execute(() -> request(type, json));
            return;
        }
        int stream = stream();
        ByteBuf out = to.alloc().buffer(json.readableBytes() + 256);
        frame(out, REQUEST.length, HEADERS, END_HEADERS, stream);
        out.writeBytes(REQUEST);
        data(out, stream, END_STREAM, type, json);
        found[slot(stream)] = 0;
        sentAt[slot(stream)] = System.nanoTime();
        send(out);
    }

    private static int slot(int stream) {
        return (stream >>> 1) % UNANSWERED;
    }

    private void send(ByteBuf out) {
        Channel to = channel();
        if (reading) {
            to.write(out, to.voidPromise()); // flushed when all there is was read
        } else {
            to.writeAndFlush(out, to.voidPromise());
        }
    }

    // ---- in

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
        received += ((ByteBuf) message).readableBytes();
        reading = true;
        super.channelRead(context, message);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) throws Exception {
        super.channelReadComplete(context);
        reading = false;
        context.flush();
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
        while (in.readableBytes() >= FRAME_HEAD) {
            int start = in.readerIndex();
            int length = in.getUnsignedMedium(start);
            if (in.readableBytes() < FRAME_HEAD + length) {
                return;
            }
            int type = in.getByte(start + 3);
            int flags = in.getByte(start + 4);
            int stream = in.getInt(start + 5);
            in.skipBytes(FRAME_HEAD);
            handle(type, flags, stream, in, length);
            in.readerIndex(start + FRAME_HEAD + length);
        }
    }

    private void handle(int type, int flags, int stream, ByteBuf in, int length) {
        switch (type) {
            case DATA -> data(stream, in, length);
            case HEADERS -> {
                if ((flags & END_STREAM) != 0) {
                    ended(stream);
                }
            }
            case SETTINGS -> {
                if ((flags & ACK) == 0) {
                    ByteBuf out = channel().alloc().buffer(FRAME_HEAD);
                    frame(out, 0, SETTINGS, ACK, 0);
                    send(out);
                }
            }
            case PING -> {
                if ((flags & ACK) == 0) {
                    ByteBuf out = channel().alloc().buffer(FRAME_HEAD + length);
                    frame(out, length, PING, ACK, 0);
                    out.writeBytes(in, length);
                    send(out);
                }
            }
            case RESET, GO_AWAY -> {
                if (!closing) {
                    throw new IllegalStateException((type == RESET ? "reset: " : "told to go away: ")
                            + in.toString(in.readerIndex(), length, StandardCharsets.ISO_8859_1));
                }
            }
            case WINDOW_UPDATE, CONTINUATION -> {}
            default -> throw new IllegalStateException("frame type: " + type);
        }
    }

    private void data(int stream, ByteBuf in, int length) {
        unannounced += length;
        if (unannounced > WINDOW / 2) {
            ByteBuf out = channel().alloc().buffer(2 * (FRAME_HEAD + 4));
            windowUpdate(out, 0, unannounced);
            unannounced = 0;
            send(out);
        }
        if (stream != pushStream) {
            int slot = slot(stream);
            if (found[slot] < NacosMessage.WELL_LENGTH) {
                found[slot] = (byte) NacosMessage.findWell(in, in.readerIndex(), length, found[slot]);
                well += found[slot] == NacosMessage.WELL_LENGTH ? 1 : 0;
            }
            return;
        }
        unannouncedOfPushes += length;
        if (unannouncedOfPushes > WINDOW / 2) {
            ByteBuf out = channel().alloc().buffer(FRAME_HEAD + 4);
            windowUpdate(out, pushStream, unannouncedOfPushes);
            unannouncedOfPushes = 0;
            send(out);
        }
        if (!partial.isReadable()
                && length >= NacosMessage.PREFIX
                && in.getInt(in.readerIndex() + 1) == length - NacosMessage.PREFIX) {
            asked(in, in.readerIndex(), length);
            return;
        }
        partial.writeBytes(in, length);
        while (partial.readableBytes() >= NacosMessage.PREFIX
                && partial.readableBytes() >= NacosMessage.PREFIX + partial.getInt(partial.readerIndex() + 1)) {
            int whole = NacosMessage.PREFIX + partial.getInt(partial.readerIndex() + 1);
            asked(partial, partial.readerIndex(), whole);
            partial.skipBytes(whole);
        }
        partial.discardReadBytes();
    }

    /** The server asks something on the stream, a list to be taken as a rule. */
    private void asked(ByteBuf in, int start, int length) {
        if (NacosMessage.isCompressed(in, start) || NacosMessage.kind(in, start) == 'N') {
            long at = System.nanoTime();
            pushes++;
            if (keeps) {
                kept = ByteBufUtil.getBytes(in, start, length);
            }
            answer("NotifySubscriberResponse", in, start, length);
            receiver.pushed(this, at);
        } else if (NacosMessage.kind(in, start) == 'S') {
            open.complete(this);
        } else {
            answer("ClientDetectionResponse", in, start, length); // it was quiet for long: still there
        }
    }

    private void answer(String type, ByteBuf in, int start, int length) {
        ByteBuf json = Unpooled.buffer(96);
        Workload.text(json, "{\"resultCode\":200,\"errorCode\":0,\"requestId\":\"");
        NacosMessage.copyId(in, start, length, json);
        Workload.text(json, "\",\"success\":true}");
        ByteBuf out = channel().alloc().buffer(256);
        data(out, pushStream, 0, type, json);
        send(out);
    }

    private void ended(int stream) {
        if (stream == 1) {
            setUp();
            return;
        }
        if (stream == pushStream) {
            throw new IllegalStateException("the server ended the stream");
        }
        ended++;
        receiver.answered(this, sentAt[slot(stream)], System.nanoTime());
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) throws Exception {
        super.channelInactive(context);
        if (!closing) {
            System.err.println("the registry closed a Nacos client's connection");
        }
        open.completeExceptionally(new IllegalStateException("closed before it was set up"));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (!closing) {
            System.err.println("a Nacos client failed: " + cause);
        }
        open.completeExceptionally(cause);
        context.close();
    }

    // ---- about it

    /** From any thread. */
    void onReceive(Receiver next) {
        onThread(() -> receiver = next);
    }

    /** Keeps the last list that was pushed, for {@link #kept}. From any thread. */
    void keepPushes() {
        onThread(() -> keeps = true);
    }

    /** The last list that was pushed, with what is around it, as text. */
    String kept() {
        return NacosMessage.text(kept);
    }

    /** Bytes that came over the connection so far. */
    long received() {
        return received;
    }

    /** Lists that were pushed so far. */
    long pushes() {
        return pushes;
    }

    /** Requests that ended otherwise than well. */
    long refused() {
        return ended + 1 - well; // the check is not among those that ended
    }

    ByteBuf buffer(int size) {
        return channel().alloc().buffer(size);
    }

    /** Runs it on its I/O thread and waits until it has run. */
    void onThread(Runnable task) {
        if (channel().eventLoop().inEventLoop()) {
            task.run();
        } else {
            channel().eventLoop().submit(task).syncUninterruptibly();
        }
    }

    /** Ends as clients do, by closing the connection. */
    static void closeAll(List<NacosClient> clients) {
        for (NacosClient client : clients) {
            client.onThread(() -> {
                client.closing = true;
                client.channel().close();
            });
        }
    }

    private Channel channel() {
        Channel open = channel;
        if (open == null) {
            throw new IllegalStateException("not connected");
        }
        return open;
    }
}
