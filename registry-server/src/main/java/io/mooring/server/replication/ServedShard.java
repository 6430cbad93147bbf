package io.mooring.server.replication;

import io.mooring.model.InstanceId;
import io.mooring.runtime.EventLoop;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.Shard;
import io.mooring.server.shard.ShardId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A shard, own or copied, and those who follow it from here. Each follower has a place in the stream of steps and is
 * told what comes after it, as far as its line takes it; one whose place is forgotten gets pages of the whole, between
 * which the stream goes on.
 */
final class ServedShard {
    /** A line on which more bytes wait gets nothing more for now. */
    static final long FULL_OUTBOX = 8 << 20;

    /** A line on which more bytes wait gets no page. */
    static final long ROOM_FOR_PAGE = 1 << 20;

    /** Pages written for one follower before others have their turn. */
    private static final int PAGES_AT_ONCE = 4;

    private final EventLoop loop;
    private final Tally tally;
    private final DeltaLog log;
    private final BooleanSupplier exact;
    private final List<Follower> followers = new ArrayList<>();
    private Shard shard;
    private long process;
    private boolean isLeft;

    /** @param exact whether the shard's contents are those of the last step in the log */
    ServedShard(
            EventLoop loop,
            Tally tally,
            Shard shard,
            long process,
            long revision,
            long logBytes,
            BooleanSupplier exact) {
        this.loop = loop;
        this.tally = tally;
        this.shard = shard;
        this.process = process;
        this.log = new DeltaLog(logBytes, revision);
        this.exact = exact;
    }

    private static final class Follower {
        final Conversation conversation;
        final int number;

        /** The last step it was told. */
        long at;

        /** What it still needs of the whole; null when nothing. */
        @Nullable
        Snapshot snapshot;

        boolean needsAll;
        boolean busy;
        boolean scheduled;

        Follower(Conversation conversation, int number) {
            this.conversation = conversation;
            this.number = number;
        }
    }

    /**
     * Which registrations and removals there were at its beginning; each is told as it is when its turn comes. Service by
     * service, and in order inside of a page: who takes them sorts and shares less.
     */
    private static final class Snapshot {
        final List<InstanceId> instances;
        final List<PeerMessage.Buried> burials;
        int nextInstance;
        int nextBurial;
        int page;

        Snapshot(Shard shard) {
            instances = new ArrayList<>(shard.size());
            for (Registration registration : shard.registrations()) {
                instances.add(registration.id());
            }
            burials = new ArrayList<>(shard.burials().size());
            for (Map.Entry<InstanceId, Burial> entry : shard.burials().entrySet()) {
                burials.add(new PeerMessage.Buried(entry.getKey(), entry.getValue()));
            }
        }

        boolean isDone() {
            return nextInstance == instances.size() && nextBurial == burials.size();
        }
    }

    ShardId id() {
        return shard.id();
    }

    /** The last step that was told. */
    long revision() {
        return log.last();
    }

    /** Of the contents; empty while they are ahead of what was told. */
    OptionalLong checksum() {
        return exact.getAsBoolean() ? OptionalLong.of(shard.checksum()) : OptionalLong.empty();
    }

    /** The contents move to another incarnation: until it {@linkplain #replace is known}, nobody is told anything. */
    void leave() {
        isLeft = true;
    }

    /** The contents are other ones from now on: followers get all of them. */
    void replace(Shard newShard, long newProcess, long revision) {
        isLeft = false;
        shard = newShard;
        process = newProcess;
        log.restart(revision);
        for (Follower follower : followers) {
            follower.snapshot = null;
            follower.needsAll = true;
        }
        pump();
    }

    /** Nobody follows and nobody will. */
    void skipTo(long revision) {
        log.restart(revision);
    }

    /** The next steps. */
    void append(DeltaLog.Turn turn) {
        log.append(turn);
        pump();
    }

    void follow(Conversation conversation, PeerMessage.Follow follow) {
        unfollow(conversation);
        Follower follower = new Follower(conversation, follow.number());
        follower.at = follow.revision();
        follower.needsAll = follow.incarnation() != id().incarnation()
                || follow.incarnation() == 0
                || !log.reaches(follow.revision());
        followers.add(follower);
        pump(follower);
    }

    /** @return whether anybody followed there */
    boolean unfollow(Conversation conversation) {
        return followers.removeIf(follower -> follower.conversation == conversation);
    }

    /** Nobody gets it from here any more. */
    void end() {
        for (Follower follower : followers) {
            follower.conversation.send(new PeerMessage.Ended(id().origin()));
        }
        followers.clear();
    }

    boolean hasFollowers() {
        return !followers.isEmpty();
    }

    void pump() {
        for (int i = 0; i < followers.size(); i++) {
            pump(followers.get(i));
        }
    }

    void pump(Conversation conversation) {
        for (int i = 0; i < followers.size(); i++) {
            if (followers.get(i).conversation == conversation) {
                pump(followers.get(i));
            }
        }
    }

    /** Tells the follower what it does not know yet, as far as its line takes it. */
    private void pump(Follower follower) {
        if (isLeft || follower.busy || !followers.contains(follower)) {
            return; // sending led back here, or it is gone
        }
        follower.busy = true;
        try {
            int pages = 0;
            while (sendDeltas(follower) && follower.snapshot != null) {
                if (follower.conversation.line.waiting() >= ROOM_FOR_PAGE) {
                    return;
                }
                if (pages++ == PAGES_AT_ONCE) {
                    goOnLater(follower);
                    return;
                }
                sendPage(follower, follower.snapshot);
            }
        } finally {
            follower.busy = false;
        }
    }

    private void goOnLater(Follower follower) {
        if (!follower.scheduled) {
            follower.scheduled = true;
            loop.execute(() -> {
                follower.scheduled = false;
                pump(follower);
            });
        }
    }

    /** @return whether it is up to date with the steps */
    private boolean sendDeltas(Follower follower) {
        if (follower.needsAll) {
            begin(follower);
        }
        while (follower.at < log.last()) {
            if (follower.conversation.line.waiting() > FULL_OUTBOX) {
                tally.withheld++;
                return false; // it stays where it is, and is told from there when its line is free
            }
            DeltaLog.Turn turn = log.next(follower.at);
            if (turn == null) {
                begin(follower);
                continue;
            }
            for (byte[] part : turn.parts()) {
                follower.conversation.send(part, false);
                tally.deltasSent++;
            }
            follower.at = turn.last();
        }
        return true;
    }

    private void begin(Follower follower) {
        follower.needsAll = false;
        follower.at = log.last();
        follower.snapshot = new Snapshot(shard);
    }

    private void sendPage(Follower follower, Snapshot snapshot) {
        PeerWriter.PageWriter page = new PeerWriter.PageWriter(id(), process, follower.number, snapshot.page++);
        while (!page.isFull() && snapshot.nextBurial < snapshot.burials.size()) {
            page.add(snapshot.burials.get(snapshot.nextBurial++));
        }
        int end = Math.min(snapshot.instances.size(), snapshot.nextInstance + PeerWriter.PageWriter.MOST_ITEMS);
        Collections.sort(snapshot.instances.subList(snapshot.nextInstance, end));
        while (!page.isFull() && snapshot.nextInstance < end) {
            Registration registration = shard.get(snapshot.instances.get(snapshot.nextInstance++));
            if (registration != null) {
                page.add(registration);
            }
        }
        boolean last = snapshot.isDone();
        if (last) {
            follower.snapshot = null;
        }
        tally.pagesSent++;
        follower.conversation.send(page.close(last, log.last(), last ? checksum() : OptionalLong.empty()), true);
    }
}
