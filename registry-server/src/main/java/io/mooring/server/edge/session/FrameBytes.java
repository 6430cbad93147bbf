package io.mooring.server.edge.session;

import java.util.List;

/**
 * WebSocket text frames as plain bytes. A server's frames are not masked, so a frame made once is right for every
 * session and goes past Netty's encoder.
 */
final class FrameBytes {
    private static final int FINAL_TEXT = 0x81;

    private FrameBytes() {}

    /** One frame: the array of these messages, each encoded already. */
    static byte[] of(List<byte[]> messages) {
        int payload = 2 + Math.max(0, messages.size() - 1);
        for (byte[] message : messages) {
            payload += message.length;
        }
        int head = payload < 126 ? 2 : payload < 65_536 ? 4 : 10;
        byte[] frame = new byte[head + payload];
        frame[0] = (byte) FINAL_TEXT;
        if (head == 2) {
            frame[1] = (byte) payload;
        } else if (head == 4) {
            frame[1] = 126;
            frame[2] = (byte) (payload >>> 8);
            frame[3] = (byte) payload;
        } else {
            frame[1] = 127;
            for (int i = 0; i < 4; i++) { // the upper four bytes stay zero
                frame[6 + i] = (byte) (payload >>> 8 * (3 - i));
            }
        }
        int at = head;
        frame[at++] = '[';
        for (int i = 0; i < messages.size(); i++) {
            if (i > 0) {
                frame[at++] = ',';
            }
            byte[] message = messages.get(i);
            System.arraycopy(message, 0, frame, at, message.length);
            at += message.length;
        }
        frame[at] = ']';
        return frame;
    }
}
