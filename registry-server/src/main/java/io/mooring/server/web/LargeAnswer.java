package io.mooring.server.web;

import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Writes a body as fast as its reader takes it, without holding a thread meanwhile. A reader that takes nothing is
 * given up by the container after its connection timeout.
 */
final class LargeAnswer implements WriteListener, AsyncListener {
    static final int CHUNK = 8_192;

    private final AsyncContext async;
    private final ServletOutputStream out;
    private final byte[] body;
    private final Runnable ended;
    private final AtomicBoolean over = new AtomicBoolean();
    private int at; // the container never calls onWritePossible twice at the same time

    private LargeAnswer(AsyncContext async, ServletOutputStream out, byte[] body, Runnable ended) {
        this.async = async;
        this.out = out;
        this.body = body;
        this.ended = ended;
    }

    /** @param ended runs once, when the last byte was handed over or the reader is gone, also if this throws */
    static void send(AsyncContext async, byte[] body, Runnable ended) throws IOException {
        ServletOutputStream out;
        try {
            out = async.getResponse().getOutputStream();
        } catch (IOException | IllegalStateException e) {
            ended.run();
            throw e;
        }
        LargeAnswer answer = new LargeAnswer(async, out, body, ended);
        try {
            async.addListener(answer);
            out.setWriteListener(answer);
        } catch (IllegalStateException e) { // the client is gone already
            answer.end();
            throw e;
        }
    }

    @Override
    public void onWritePossible() throws IOException {
        while (at < body.length) {
            if (!out.isReady()) {
                return;
            }
            int length = Math.min(CHUNK, body.length - at);
            out.write(body, at, length);
            at += length;
        }
        if (out.isReady() && over.compareAndSet(false, true)) {
            ended.run();
            async.complete();
        }
    }

    @Override
    public void onError(Throwable t) {
        end();
    }

    @Override
    public void onComplete(AsyncEvent event) {
        end();
    }

    @Override
    public void onTimeout(AsyncEvent event) {
        end();
    }

    @Override
    public void onError(AsyncEvent event) {
        end();
    }

    @Override
    public void onStartAsync(AsyncEvent event) {
        // Never started anew.
    }

    private void end() {
        if (over.compareAndSet(false, true)) {
            ended.run();
        }
    }
}
