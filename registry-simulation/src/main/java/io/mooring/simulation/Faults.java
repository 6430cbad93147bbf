package io.mooring.simulation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/** Makes things go wrong, each time by dice of its own, so that one fault can be left out and the others stay. */
final class Faults {
    private final World world;
    private final List<Registry> nodes;
    private final Map<Registry, Runnable> atNextView = new LinkedHashMap<>();
    private final List<String> story = new ArrayList<>();
    private int count;
    private int cloned;

    Faults(World world) {
        this.world = world;
        this.nodes = world.registries;
    }

    /** What was done, by number. */
    List<String> story() {
        return story;
    }

    private long now() {
        return world.time.now();
    }

    /** One more fault, or none if that one is to be left out. */
    void hurt(SplittableRandom dice) {
        int number = count++;
        List<Fault> kinds = List.copyOf(world.swarm.faults());
        if (kinds.isEmpty() || world.options.leftOut(number)) {
            return;
        }
        Fault fault = kinds.get(dice.nextInt(kinds.size()));
        Registry node = nodes.get(dice.nextInt(nodes.size()));
        ClientProcess client = world.clients.get(dice.nextInt(world.clients.size()));
        world.coverage.injected(fault);
        world.happening(fault);
        story.add(String.format(
                java.util.Locale.ROOT,
                "%4d %10.3f s  %s %s %s",
                number,
                world.elapsed() / 1e9,
                fault,
                node.name,
                client.name));
        world.trace.event(now(), fault + " " + node.name + " " + client.name);
        if (fault.compareTo(Fault.LINE_BREAK) < 0) {
            ofNodes(fault, node, dice);
        } else {
            ofProcesses(fault, node, client, dice);
        }
    }

    private void ofNodes(Fault fault, Registry node, SplittableRandom dice) {
        switch (fault) {
            case SERVER_KILL -> {
                Duration away = within(dice, 0.05, 40);
                if (dice.nextBoolean()) {
                    kill(node, fault, false, away);
                } else {
                    // At the worst moment: right after it showed something new.
                    Duration late = Duration.ofNanos(dice.nextInt(12_000_000));
                    atNextView.put(node, () -> after(late, () -> kill(node, fault, false, away)));
                }
            }
            case SERVER_KILL_DISK_LOST -> {
                kill(node, fault, false, within(dice, 0.05, 40));
                loseDisk(node, fault);
            }
            case SERVER_KILL_TAIL_CUT -> cutTail(node, dice);
            case SERVER_POWER_OFF -> kill(node, fault, true, within(dice, 1, 60));
            case SERVER_OUTAGE -> kill(node, fault, false, within(dice, 60, dice.nextInt(20) == 0 ? 16_000 : 900));
            case SERVER_PAUSE -> pause(node, within(dice, 0.1, 120));
            case SERVER_DRAIN -> drain(node, fault, within(dice, 0.5, 40), () -> {});
            case ROLLING_RESTART -> rollOn(new ArrayList<>(nodes), within(dice, 0.5, 10));
            case SERVERS_RESTART, SERVERS_RESTART_EMPTY, OUTAGE_OF_ALL -> {
                boolean silently = dice.nextInt(4) == 0;
                Duration least = fault == Fault.OUTAGE_OF_ALL ? within(dice, 30, 900) : Duration.ZERO;
                for (Registry each : nodes) {
                    kill(each, fault, silently, least.plus(within(dice, 0.05, 20)));
                    if (fault == Fault.SERVERS_RESTART_EMPTY) {
                        loseDisk(each, fault);
                    }
                }
            }
            case DIRECTORY_CLONED -> cloneOf(node, within(dice, 5, 60));
            case PEERS_LISTED_WRONG -> listWrongly(node, dice);
            case OTHER_CLUSTER -> crossJoin(node, within(dice, 5, 60));
            case PEERS_CUT, PEERS_ONE_OFF, PEERS_PAIR, PEERS_BRIDGE, PEERS_RING, PEERS_ONE_WAY -> cut(fault, dice);
            case PEERS_RESET -> {
                world.troubled();
                for (Registry other : nodes) {
                    if (other != node && dice.nextInt(3) != 0 && world.peerNet.reset(node, other)) {
                        world.coverage.tookEffect(fault);
                    }
                }
            }
            case PEERS_SLOW -> {
                Registry other = nodes.get(dice.nextInt(nodes.size()));
                Duration slow = within(dice, 0.1, 8);
                world.trouble(1);
                world.peerNet.way(node, other).slow = slow;
                after(within(dice, 1, 60), () -> {
                    world.peerNet.way(node, other).slow = Duration.ZERO;
                    world.trouble(-1);
                });
            }
            case PEER_MESSAGES_CUT -> {
                world.trouble(1);
                world.peerNet.truncate(0.002 + 0.05 * dice.nextDouble());
                after(within(dice, 1, 40), () -> {
                    world.peerNet.truncate(0);
                    world.trouble(-1);
                });
            }
            case PEER_MESSAGES_REPEATED -> {
                world.trouble(1);
                world.peerNet.replay(0.01 + 0.5 * dice.nextDouble());
                after(within(dice, 1, 40), () -> {
                    world.peerNet.replay(0);
                    world.trouble(-1);
                });
            }
            case STRANGER -> world.strangers.visit(node, dice.split());
            default -> throw new IllegalStateException(fault + " is not one of nodes");
        }
    }

    private void ofProcesses(Fault fault, Registry node, ClientProcess client, SplittableRandom dice) {
        switch (fault) {
            case LINE_BREAK -> {
                if (client.isConnected()) {
                    world.coverage.tookEffect(fault);
                }
                client.cut();
            }
            case BLACK_HOLE -> lose(client, node, true, true, fault, dice);
            case LOSS_TO_SERVER -> lose(client, node, true, false, fault, dice);
            case LOSS_TO_CLIENT -> lose(client, node, false, true, fault, dice);
            case CONNECT_REFUSED -> {
                boolean everywhere = dice.nextBoolean();
                List<Path> paths = everywhere ? paths(client) : List.of(client.path(node));
                paths.forEach(path -> path.refused = true);
                client.cut();
                after(within(dice, 1, 100), () -> paths.forEach(path -> path.refused = false));
            }
            case SLOW_LINK -> {
                List<Path> paths = dice.nextBoolean() ? paths(client) : List.of(client.path(node));
                Duration slow = within(dice, 0.1, 12);
                paths.forEach(path -> path.slow = slow);
                after(within(dice, 1, 60), () -> paths.forEach(path -> path.slow = Duration.ZERO));
            }
            case CLIENT_MOVED -> {
                Optional<Registry> at = client.connectedTo();
                if (at.isPresent()) {
                    world.coverage.tookEffect(fault);
                    Path path = client.path(at.get());
                    path.refused = true;
                    client.cut(at.get());
                    after(within(dice, 5, 60), () -> path.refused = false);
                }
            }
            case DISK_SLOW -> {
                node.disk.slow(within(dice, 0.02, 0.4));
                world.coverage.tookEffect(fault);
                after(within(dice, 1, 60), () -> node.disk.slow(world.swarm.diskDelay()));
            }
            case DISK_HUNG -> {
                node.disk.hang(true);
                after(within(dice, 0.1, 60), () -> {
                    if (node.disk.wasLate()) {
                        world.coverage.tookEffect(fault);
                    }
                    node.disk.hang(false);
                });
            }
            case DISK_FULL -> {
                node.disk.fill(true);
                after(within(dice, 0.1, 60), () -> node.disk.fill(false));
            }
            case CACHE_FULL -> {
                client.cache.fill(true);
                after(within(dice, 1, 100), () -> client.cache.fill(false));
            }
            case CACHE_CORRUPT -> client.cache.rot(dice.nextInt(1 << 16));
            case CLIENT_KILL -> end(client, false, fault);
            case CLIENT_POWER_OFF -> end(client, true, fault);
            case CLIENT_MASS_KILL -> {
                for (ClientProcess each : world.clients) {
                    if (dice.nextInt(4) != 0) {
                        end(each, false, fault);
                    }
                }
            }
            case CLIENT_RESTART -> {
                if (client.isRunning()) {
                    end(client, false, fault);
                    after(within(dice, 0.5, 20), () -> world.restart(client));
                }
            }
            case CLIENT_PAUSE -> {
                if (client.isRunning()) {
                    client.pause();
                    world.coverage.tookEffect(fault);
                    after(within(dice, 0.1, 120), client::resume);
                }
            }
            case WALL_CLOCK_JUMP -> {
                world.coverage.tookEffect(fault);
                long[] jumps = {3_600, -3_600, 315_360_000L, -315_360_000L, 1, -1};
                Duration by = Duration.ofSeconds(jumps[dice.nextInt(jumps.length)]);
                if (world.options.wallJumps()) {
                    client.jump(by);
                }
            }
            case PORT_THROWS -> {
                client.failPorts(true);
                after(within(dice, 0.1, 30), () -> client.failPorts(false));
            }
            case LISTENER_THROWS -> {
                client.failListeners(true);
                after(within(dice, 5, 120), () -> client.failListeners(false));
            }
            default -> throw new IllegalStateException(fault + " is not one of processes");
        }
    }

    /** More short ones than long ones. */
    private static Duration within(SplittableRandom dice, double least, double most) {
        double share = dice.nextDouble();
        return Duration.ofMillis((long) (1_000 * (least + (most - least) * share * share * share)));
    }

    private void after(Duration delay, Runnable end) {
        world.net.schedule(delay, () -> {
            if (!world.isHealing()) {
                end.run();
            }
        });
    }

    // ---- nodes

    /** The node shows something new. */
    void nodeShowed(Registry node) {
        Runnable next = atNextView.remove(node);
        if (next != null) {
            next.run();
        }
    }

    private void kill(Registry node, Fault fault, boolean silently, Duration away) {
        if (node.isUp()) {
            node.kill(silently);
            world.coverage.tookEffect(fault);
            after(away, () -> startAgain(node));
        }
    }

    /** The machine stops, and of each file the end that was not forced to the disk may be gone. */
    void cutTail(Registry node, SplittableRandom dice) {
        kill(node, Fault.SERVER_KILL_TAIL_CUT, false, within(dice, 0.05, 40));
        node.witness.diskLoses();
        world.durable.tailCut(node);
        if (node.disk.cutTails()) {
            world.coverage.tookEffect(Fault.SERVER_KILL_TAIL_CUT);
        }
    }

    private void loseDisk(Registry node, Fault fault) {
        node.witness.diskLoses();
        world.durable.diskLost(node);
        if (node.disk.clear()) {
            world.coverage.tookEffect(fault);
        }
    }

    /** Starts it, again and again if it cannot. */
    void startAgain(Registry node) {
        if (!node.isUp() && !world.staysAway(node) && !node.start()) {
            world.net.schedule(Duration.ofSeconds(5), () -> startAgain(node));
        }
    }

    private void pause(Registry node, Duration length) {
        if (node.isUp() && !node.isPaused()) {
            node.pause();
            node.witness.paused();
            world.trouble(1);
            world.coverage.tookEffect(Fault.SERVER_PAUSE);
            world.coverage.effect("seconds nodes were paused", length.toSeconds());
            after(length, () -> resume(node));
        }
    }

    void resume(Registry node) {
        if (node.isPaused()) {
            node.witness.resumed();
            node.resume();
            world.trouble(-1);
        }
    }

    private void drain(Registry node, Fault fault, Duration away, Runnable then) {
        if (!node.isUp() || node.isPaused() || node.isDraining()) {
            return;
        }
        world.coverage.tookEffect(fault);
        int life = node.witness.life();
        boolean[] exited = new boolean[1];
        node.drain(() -> {
            exited[0] = true;
            world.coverage.effect(Effects.DRAINED);
            node.kill(false);
            after(away, () -> {
                startAgain(node);
                then.run();
            });
            if (world.isHealing()) {
                startAgain(node);
            }
        });
        world.net.schedule(Duration.ofSeconds(30), () -> {
            boolean same = node.isUp() && node.witness.life() == life && !node.isPaused();
            if (!exited[0] && same && !world.isHealing() && node.wasNotPausedFor(Duration.ofSeconds(30))) {
                throw world.fatal(new Violation("E4", node.name + " does not exit within 30 s of being asked to"));
            }
        });
    }

    private void rollOn(List<Registry> left, Duration away) {
        if (!left.isEmpty()) {
            Registry next = left.remove(0);
            drain(next, Fault.ROLLING_RESTART, away, () -> after(Duration.ofSeconds(20), () -> rollOn(left, away)));
        }
    }

    // ---- what an operator gets wrong

    /** A copy of the node's directory is started on another machine, while the node runs. */
    private void cloneOf(Registry node, Duration length) {
        if (!node.isUp() || node.isPaused()) {
            return;
        }
        world.trouble(1);
        Registry copy = world.another(node.name + "-copy" + ++cloned, node.name, World.CLUSTER, node.disk.copy());
        List<String> known = new ArrayList<>();
        nodes.forEach(each -> known.add(each.peerAddress()));
        copy.configure(known);
        if (copy.start()) {
            world.coverage.tookEffect(Fault.DIRECTORY_CLONED);
        }
        after(length, () -> {
            copy.kill(false);
            world.trouble(-1);
        });
    }

    private void listWrongly(Registry node, SplittableRandom dice) {
        List<String> right = node.configured();
        List<String> wrong = new ArrayList<>(right);
        switch (dice.nextInt(4)) {
            case 0 -> wrong.clear();
            case 1 -> wrong.remove(node.peerAddress());
            case 2 -> wrong.add("nowhere:9849");
            default -> wrong.removeIf(address -> dice.nextBoolean());
        }
        world.trouble(1);
        world.coverage.tookEffect(Fault.PEERS_LISTED_WRONG);
        node.configureNow(wrong);
        after(within(dice, 2, 60), () -> {
            node.configureNow(right);
            world.trouble(-1);
        });
    }

    /** A node of another cluster, with an instance of its own, and the two know of each other. */
    private void crossJoin(Registry node, Duration length) {
        Registry foreign = world.foreign();
        if (!foreign.isUp() && foreign.start()) {
            List<String> right = node.configured();
            List<String> both = new ArrayList<>(right);
            both.add(foreign.peerAddress());
            node.configureNow(both);
            world.putAtForeign(foreign);
            world.coverage.tookEffect(Fault.OTHER_CLUSTER);
            after(length, () -> {
                node.configureNow(right);
                foreign.kill(false);
            });
        }
    }

    // ---- between nodes

    private void cut(Fault fault, SplittableRandom dice) {
        List<Registry> order = new ArrayList<>(nodes);
        for (int i = order.size() - 1; i > 0; i--) {
            Collections.swap(order, i, dice.nextInt(i + 1));
        }
        int n = order.size();
        List<Registry[]> lost = new ArrayList<>();
        switch (fault) {
            case PEERS_CUT -> between(order.subList(0, 1 + dice.nextInt(n - 1)), order, lost);
            case PEERS_ONE_OFF -> between(order.subList(0, 1), order, lost);
            case PEERS_PAIR -> between(order.subList(0, 1), order.subList(0, 2), lost);
            case PEERS_BRIDGE -> {
                // Both halves see the one in the middle, and not each other.
                List<Registry> ends = order.subList(1, n);
                between(ends.subList(0, Math.max(1, ends.size() / 2)), ends, lost);
            }
            case PEERS_RING -> {
                // Everybody sees a majority, and no two the same one.
                int reach = Math.max(1, n / 4);
                for (int i = 0; i < n; i++) {
                    for (int j = 0; j < n; j++) {
                        int apart = Math.min(Math.floorMod(i - j, n), Math.floorMod(j - i, n));
                        if (apart > reach) {
                            lost.add(new Registry[] {order.get(i), order.get(j)});
                        }
                    }
                }
            }
            default -> lost.add(new Registry[] {order.get(0), order.get(1)});
        }
        world.trouble(1);
        for (Registry[] pair : lost) {
            world.peerNet.lose(pair[0], pair[1], fault);
        }
        boolean deliver = dice.nextBoolean();
        after(within(dice, 1, 150), () -> {
            for (Registry[] pair : lost) {
                world.peerNet.heal(pair[0], pair[1], deliver);
            }
            world.trouble(-1);
        });
    }

    private static void between(List<Registry> some, List<Registry> all, List<Registry[]> lost) {
        for (Registry one : some) {
            for (Registry other : all) {
                if (!some.contains(other)) {
                    lost.add(new Registry[] {one, other});
                    lost.add(new Registry[] {other, one});
                }
            }
        }
    }

    // ---- processes

    private List<Path> paths(ClientProcess client) {
        List<Path> all = new ArrayList<>();
        nodes.forEach(node -> all.add(client.path(node)));
        return all;
    }

    private void lose(
            ClientProcess client, Registry node, boolean up, boolean down, Fault fault, SplittableRandom dice) {
        List<Registry> to = dice.nextInt(3) == 0 ? List.of(node) : nodes;
        for (Registry each : to) {
            Path path = client.path(each);
            path.lostUp |= up;
            path.lostDown |= down;
            path.upFault = fault;
            path.downFault = fault;
        }
        boolean deliver = dice.nextBoolean();
        after(within(dice, 1, 120), () -> to.forEach(each -> heal(client, each, deliver)));
    }

    void heal(ClientProcess client, Registry node, boolean deliver) {
        Path path = client.path(node);
        boolean was = path.lostUp || path.lostDown;
        path.heal(deliver);
        if (!deliver && was) {
            client.cut(node); // a connection does not go on with a hole in it
        }
    }

    private void end(ClientProcess client, boolean silently, Fault fault) {
        if (!client.isGone()) {
            client.die(silently);
            world.coverage.tookEffect(fault);
        }
    }
}
