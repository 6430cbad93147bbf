package io.mooring.simulation;

import io.mooring.client.MooringPorts;
import io.mooring.client.MooringPorts.LinkListener;
import io.mooring.model.ServiceKey;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * One connection as TCP has it: in order while it lasts, what was sent before the end may still arrive, and who is cut
 * off hears nothing. It keeps the SDK's rules for links, and after {@code abort} goes on talking, which the SDK must
 * not listen to.
 */
final class Link implements MooringPorts.Link {
    private final World world;
    private final ClientProcess client;
    private final LinkListener listener;
    private final Optional<Registry> registry;
    private final Path path;
    private final long number;
    private final Path.Direction up;
    private final Path.Direction down;
    private final ArrayDeque<Runnable> inbox = new ArrayDeque<>();
    private boolean mayDeliver = true;
    private long inHand; // when the frame was said that the process has yet to act upon
    private boolean ended; // the client knows
    private boolean open;
    private final Set<String> told = new HashSet<>();
    private boolean torn; // nothing goes through any more, though nobody may know yet
    private Optional<Registry.Accepted> accepted = Optional.empty();

    /** @param registry whom it leads to; empty when nobody is there */
    Link(World world, ClientProcess client, Optional<Registry> registry, LinkListener listener) {
        this.world = world;
        this.client = client;
        this.listener = listener;
        this.registry = registry;
        this.number = world.nextLink();
        this.path = client.path(registry.orElse(world.registries.get(0)));
        this.up = path.new Direction(true);
        this.down = path.new Direction(false);
    }

    long number() {
        return number;
    }

    /** Whether that service's list has come this way, and not only others', a welcome or addresses of nodes. */
    boolean hasTold(ServiceKey service) {
        return told.contains(service.name());
    }

    ClientProcess client() {
        return client;
    }

    void connect() {
        up.send(() -> {
            if (path.refused) {
                world.coverage.tookEffect(Fault.CONNECT_REFUSED);
            }
            if (registry.isEmpty() || path.refused || registry.get().refusesConnections()) {
                down.send(() -> end("connection refused"));
            } else if (registry.get().isThere()) {
                registry.get().accept(this);
            }
        });
    }

    // ---- the client's side

    @Override
    public void send(byte[] frame) {
        if (client.portThrows()) {
            throw new IllegalStateException("a port that fails");
        }
        world.trace.frame(
                world.time.now(),
                client.name + " > " + registry.map(r -> r.name).orElse("?"),
                frame);
        up.send(() -> {
            if (!torn) {
                accepted.ifPresent(server -> server.received(frame));
            }
        });
        Runnable left = () -> {
            late();
            if (!client.isGone()) {
                listener.sent();
            }
        };
        if (path.lostUp && world.chance.nextBoolean()) {
            path.whenFree(left);
        } else {
            world.net.schedule(path.delay(), left);
        }
    }

    @Override
    public void next() {
        if (!ended) {
            client.frameHandled(inHand);
        }
        mayDeliver = true;
        deliver();
    }

    @Override
    public void abort() {
        if (!ended) {
            ended = true;
            world.trace.event(world.time.now(), client.name + " aborts");
            up.send(() -> accepted.ifPresent(Registry.Accepted::closed));
        }
    }

    /** The process is gone: its kernel says so, unless the machine is gone too. */
    void processDied(boolean silently) {
        if (!ended) {
            ended = true;
            if (!silently) {
                up.send(() -> accepted.ifPresent(Registry.Accepted::closed));
            }
        }
    }

    private void end(String reason) {
        if (ended) {
            late();
        }
        ended = true;
        if (!client.isGone()) {
            listener.closed(reason);
        }
    }

    private void late() {
        if (ended) {
            world.coverage.effect(Effects.LATE);
        }
    }

    // ---- the registry's side

    void acceptedBy(Registry.Accepted server) {
        accepted = Optional.of(server);
        down.send(() -> {
            open = true;
            late();
            if (!client.isGone()) {
                listener.opened();
            }
        });
    }

    /** @param saidAt when the node wrote it; it may have waited for room on the line since */
    void push(byte[] frame, long saidAt, Runnable consumed) {
        down.send(() -> {
            if (torn) {
                return;
            }
            inbox.add(() -> {
                world.trace.frame(
                        world.time.now(),
                        client.name + " < " + registry.map(r -> r.name).orElse("?"),
                        frame);
                noteTold(frame);
                inHand = saidAt;
                client.frameArrived(this);
                consumed.run();
                late();
                if (!client.isGone()) {
                    listener.received(frame.clone());
                }
            });
            deliver();
        });
    }

    private void noteTold(byte[] frame) {
        if (told.size() == world.services.size()) {
            return;
        }
        String text = new String(frame, StandardCharsets.UTF_8);
        for (ServiceKey service : world.services) {
            if (text.contains("\"service\":\"" + service.name() + "\"")) {
                told.add(service.name());
            }
        }
    }

    private void deliver() {
        // After the end of the client's side the transport may still call; then it keeps no order to speak of.
        if (open && (mayDeliver || ended)) {
            Runnable next = inbox.poll();
            if (next != null) {
                mayDeliver = false;
                next.run();
            }
        }
    }

    /** The registry closed the connection, behind what it sent. */
    void closeFromRegistry() {
        down.send(() -> {
            inbox.add(() -> end("closed by the registry"));
            mayDeliver = true;
            deliverAll();
        });
    }

    private void deliverAll() {
        while (!inbox.isEmpty()) {
            mayDeliver = true;
            deliver();
            if (!open) {
                inbox.clear();
                end("closed before it was open");
            }
        }
    }

    /** Both sides see it broken, what was under way is lost. */
    void cut() {
        boolean first = !ended;
        torn = true;
        world.net.schedule(path.delay(), () -> accepted.ifPresent(Registry.Accepted::closed));
        world.net.schedule(path.delay(), () -> {
            if (first && !ended) {
                end("reset");
            }
        });
    }

    /** The other end, once it is there. */
    Optional<Registry.Accepted> accepted() {
        return accepted;
    }

    boolean leadsTo(Registry node) {
        return registry.isPresent() && registry.get() == node;
    }

    boolean isEnded() {
        return ended;
    }
}
