package io.mooring.server.edge.session;

import java.io.Closeable;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ThreadLocalRandom;

/** A WebSocket client by hand, so that a test can send what no library would. */
public final class WireClient implements Closeable {
    public static final String SESSION = "0123456789abcdef0123456789abcdef";

    public final Socket socket;
    private final DataInputStream in;
    public final String handshake;

    WireClient(int port) throws IOException {
        this(port, "/v1/session", 0);
    }

    public WireClient(int port, String path, int receiveBuffer) throws IOException {
        socket = new Socket();
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        socket.connect(new java.net.InetSocketAddress("127.0.0.1", port), 5_000);
        socket.setSoTimeout(20_000);
        in = new DataInputStream(socket.getInputStream());
        send(("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII));
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int c = in.read();
            if (c < 0) {
                break;
            }
            head.append((char) c);
        }
        handshake = head.toString();
    }

    public static WireClient greeted(int port, String session) throws IOException {
        WireClient client = new WireClient(port);
        client.hello(session);
        return client;
    }

    String hello(String session, String namespace) throws IOException {
        text("[{\"type\":\"hello\",\"version\":1,\"session\":\"" + session + "\",\"namespace\":\"" + namespace
                + "\"}]");
        return frame();
    }

    String hello(String session) throws IOException {
        text("[{\"type\":\"hello\",\"version\":1,\"session\":\"" + session + "\",\"client\":\"test\"}]");
        return frame();
    }

    public void send(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
    }

    void text(String text) throws IOException {
        frame(0x81, text.getBytes(StandardCharsets.UTF_8));
    }

    public void frame(int head, byte[] payload) throws IOException {
        byte[] mask = new byte[4];
        ThreadLocalRandom.current().nextBytes(mask);
        int lengthBytes = payload.length < 126 ? 0 : payload.length < 65_536 ? 2 : 8;
        byte[] frame = new byte[2 + lengthBytes + 4 + payload.length];
        frame[0] = (byte) head;
        frame[1] = (byte) (0x80 | (lengthBytes == 0 ? payload.length : lengthBytes == 2 ? 126 : 127));
        for (int i = 0; i < lengthBytes; i++) {
            frame[2 + i] = (byte) ((long) payload.length >>> 8 * (lengthBytes - 1 - i));
        }
        System.arraycopy(mask, 0, frame, 2 + lengthBytes, 4);
        for (int i = 0; i < payload.length; i++) {
            frame[6 + lengthBytes + i] = (byte) (payload[i] ^ mask[i % 4]);
        }
        send(frame);
    }

    /** The next text frame; {@code "close CODE"} for a close frame, {@code "end"} when the connection is over. */
    public String frame() throws IOException {
        try {
            int head = in.readUnsignedByte();
            long length = in.readUnsignedByte() & 0x7f;
            if (length == 126) {
                length = in.readUnsignedShort();
            } else if (length == 127) {
                length = in.readLong();
            }
            byte[] payload = new byte[(int) length];
            in.readFully(payload);
            return switch (head & 0xf) {
                case 1 -> new String(payload, StandardCharsets.UTF_8);
                case 8 -> "close " + (((payload[0] & 0xff) << 8) | (payload[1] & 0xff));
                case 9 -> frame();
                default -> "frame of kind " + (head & 0xf);
            };
        } catch (java.io.EOFException | java.net.SocketException e) {
            return "end";
        }
    }

    /** Reads frames until one contains that text, and returns it. */
    public String until(String text) throws IOException {
        StringBuilder seen = new StringBuilder();
        for (String frame = frame(); ; frame = frame()) {
            if (frame.contains(text)) {
                return frame;
            }
            seen.append(frame).append('\n');
            if (frame.equals("end")) {
                throw new AssertionError("never came: " + text + "; instead:\n" + seen);
            }
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
