package io.mooring.server.node;

import io.mooring.runtime.EventLoop;
import io.mooring.runtime.Timer;
import io.mooring.server.catalog.Catalog;
import io.mooring.server.restore.RestoreLog;
import io.mooring.server.shard.Change;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What has changed and is not shown yet, and the replies that wait for that. A turn takes all there is, hands it to the disk,
 * shows it and replies:
 *
 * <pre>
 * idle ── a change or a reply ──▶ scheduled ── nothing to write, or the disk is late already ──▶ shown
 *                                     └ handed to the disk ──▶ writing ── written, or {@code diskPatience} ──▶ shown
 * shown ── more came meanwhile ──▶ scheduled, otherwise idle
 * </pre>
 *
 * A node begins by gathering: what it hears from its peers waits until {@link #showGathered}. Confined to the event loop.
 */
final class Turns {
    private final EventLoop loop;
    private final @Nullable RestoreLog restoreLog;
    private final Duration diskPatience;
    private final Catalog catalog;
    private final DurableDoor durable;
    private final Publication publication;

    private List<Change> changes = new ArrayList<>();
    private List<Runnable> replies = new ArrayList<>();

    /**
     * What a starting node has heard from its peers, until it has heard from all: of a session that has moved one of them may
     * have what another one has ended or gone beyond, so that each by itself shows what never was. At most what the
     * replicas hold, and what changes in that time.
     */
    private List<Change> gathered = new ArrayList<>();

    private boolean gathering = true;
    private boolean scheduled;
    private boolean writing;

    /** Turns that were handed to the disk, the one that is being written included. */
    private long handed;

    /**
     * @param restoreLog null to write nothing
     * @param diskPatience how long showing waits for the disk
     */
    Turns(
            EventLoop loop,
            @Nullable RestoreLog restoreLog,
            Duration diskPatience,
            Catalog catalog,
            DurableDoor durable,
            Publication publication) {
        this.loop = loop;
        this.restoreLog = restoreLog;
        this.diskPatience = diskPatience;
        this.catalog = catalog;
        this.durable = durable;
        this.publication = publication;
    }

    /** To be shown at the end of the turn. */
    void add(Change change) {
        changes.add(change);
        schedule();
    }

    /** A peer's change, or what follows from it: to be shown at the end of the turn, or with what is gathered. */
    void heard(Change change) {
        if (gathering) {
            gathered.add(change);
        } else {
            add(change);
        }
    }

    boolean isGathering() {
        return gathering;
    }

    /** Enough is gathered: it is shown in one turn with what follows, and nothing is gathered from now on. */
    void showGathered() {
        gathering = false;
        changes.addAll(gathered); // for the turn of the first that waits for it
        gathered = List.of();
    }

    /** Whether every change has been shown, whatever is durable apart. */
    boolean isSettled() {
        return changes.isEmpty() && !writing;
    }

    /** Runs {@code reply} when everything changed so far is visible: now, if it is. */
    void whenShown(Runnable reply) {
        if (isSettled() && durable.isShown()) {
            reply.run();
        } else {
            replies.add(reply);
            schedule();
        }
    }

    /** There is something to show, here or with what is durable. */
    void schedule() {
        if (!scheduled && !writing) {
            scheduled = true;
            loop.execute(this::turn);
        }
    }

    private void turn() {
        scheduled = false;
        if (writing) {
            return;
        }
        List<Change> turnChanges = changes;
        List<Runnable> turnReplies = replies;
        changes = new ArrayList<>();
        replies = new ArrayList<>();
        if (restoreLog == null || turnChanges.isEmpty()) {
            show(turnChanges, turnReplies);
            return;
        }
        if (restoreLog.isStuckFor(diskPatience)) {
            restoreLog.append(lasting(turnChanges), () -> {}); // the disk is behind already: its word is not waited for
            show(turnChanges, turnReplies);
            return;
        }
        writing = true;
        long turn = ++handed;
        // A disk that hangs must not take discovery with it: after a moment we tell without it.
        Timer impatience = loop.schedule(diskPatience, () -> showWritten(turn, turnChanges, turnReplies));
        restoreLog.append(lasting(turnChanges), () -> {
            impatience.cancel();
            showWritten(turn, turnChanges, turnReplies);
        });
    }

    /** Without the late copies of what is over. */
    private List<Change> lasting(List<Change> turnChanges) {
        List<Change> lasting = new ArrayList<>(turnChanges);
        lasting.removeIf(change -> change instanceof Change.Granted granted && catalog.isOver(granted.registration()));
        return lasting;
    }

    private void showWritten(long turn, List<Change> turnChanges, List<Runnable> turnReplies) {
        if (turn != handed || !writing) {
            return; // told already
        }
        writing = false;
        show(turnChanges, turnReplies);
    }

    private void show(List<Change> turnChanges, List<Runnable> turnReplies) {
        publication.publish(turnChanges);
        turnReplies.forEach(Runnable::run);
        if (!changes.isEmpty() || !replies.isEmpty() || !durable.isShown()) {
            schedule();
        }
    }
}
