package io.mooring.server.edge.http;

import io.mooring.model.ServiceKey;
import io.mooring.model.ServiceView;
import io.mooring.runtime.Timer;
import io.mooring.server.node.RegistryNode;
import io.mooring.server.push.Subscriber;
import io.mooring.server.push.Update;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A long poll that waits for its service to change. Holds no thread. Its state is confined to the loop.
 *
 * <p>waiting → answered, by a delivery that differs from what the client has or by the end of the time; waiting → gone,
 * when the connection breaks.
 */
final class Watch implements Subscriber, AsyncListener {
    private final RegistryNode node;
    private final ServiceKey service;
    private final Predicate<ServiceView> known;
    private final AsyncContext async;
    private final Answer answer;
    private @Nullable Timer end;
    private boolean over;
    private Runnable whenOver = () -> {};

    /** Sends the answer, off the loop. */
    interface Answer {
        void send(AsyncContext async, ServiceView view, boolean incomplete, boolean changed);
    }

    /** @param known whether the client has that view already */
    Watch(RegistryNode node, ServiceKey service, Predicate<ServiceView> known, AsyncContext async, Answer answer) {
        this.node = node;
        this.service = service;
        this.known = known;
        this.async = async;
        this.answer = answer;
    }

    /** Before the start: {@code ended} runs once, when the watch is answered or gone. */
    void whenOver(Runnable ended) {
        whenOver = ended;
    }

    /** From any thread: ends it, and if it was waiting still, {@code refuse} answers. */
    void stop(Runnable refuse) {
        node.loop().execute(() -> {
            if (leave()) {
                refuse.run();
            }
        });
    }

    /** On the loop. */
    void start(Duration wait, OptionalLong digest) {
        end = node.loop()
                .schedule(wait, () -> finish(node.view(service), node.status().incomplete(), false));
        node.subscribe(this, service, digest);
    }

    @Override
    public void deliver(List<Update> updates) {
        Update update = updates.get(updates.size() - 1);
        if (!known.test(update.view())) {
            finish(update.view(), update.incomplete(), true);
        } else if (!over) {
            node.loop().execute(this::listenOn);
        }
    }

    private void listenOn() {
        if (!over) {
            node.ready(this);
        }
    }

    private void finish(ServiceView view, boolean incomplete, boolean changed) {
        if (leave()) {
            answer.send(async, view, incomplete, changed);
        }
    }

    private boolean leave() {
        if (over) {
            return false;
        }
        over = true;
        if (end != null) {
            end.cancel();
        }
        node.loop().execute(() -> node.forget(this)); // not now: the core may be amid telling its subscribers
        whenOver.run();
        return true;
    }

    @Override
    public void onError(AsyncEvent event) {
        node.loop().execute(this::leave);
    }

    @Override
    public void onComplete(AsyncEvent event) {
        node.loop().execute(this::leave);
    }

    @Override
    public void onTimeout(AsyncEvent event) {
        node.loop().execute(this::leave);
    }

    @Override
    public void onStartAsync(AsyncEvent event) {
        // Never started anew.
    }
}
