package io.mooring.server.lease;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.RemovalCause;
import io.mooring.server.shard.Burial;
import io.mooring.server.shard.Registration;
import io.mooring.server.shard.ShardId;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Who is later: which word on an instance stands, of this node's two shards and of what other nodes say, and how far the end
 * of one of them reaches. Looks only, and changes nothing. Confined to the event loop.
 */
final class Precedence {
    /** Generations of a session's next connection begin above all that those of this one can reach. */
    static final int ATTEMPT_BITS = 32;

    /** So often a lease by HTTP may be taken over, or confirmed, and still have a lower generation than the next put. */
    private static final int GOING_ON = 15;

    private final OwnShard own;
    private final RestoredLeases restored;
    private final LeaseTable.Elsewhere elsewhere;
    private final boolean alone;

    Precedence(OwnShard own, RestoredLeases restored, LeaseTable.Elsewhere elsewhere) {
        this.own = own;
        this.restored = restored;
        this.elsewhere = elsewhere;
        alone = elsewhere == LeaseTable.Elsewhere.NOWHERE;
    }

    // ---- which one stands

    /** What this node says of it, be it from before a restart. */
    @Nullable
    Registration current(InstanceId id) {
        Registration registration = own.get(id);
        return registration != null ? registration : restored.get(id);
    }

    /** The registration of that instance that shows, wherever it stands. */
    Optional<Registration> latest(InstanceId instance) {
        Registration here = current(instance);
        Registration there = elsewhere.find(instance);
        boolean isThere = there != null && (here == null || there.generation() > here.generation());
        return Optional.ofNullable(isThere ? there : here);
    }

    /** Whether that registration has been removed, here or by another node, though a shard may have it still. */
    boolean isOver(Registration registration) {
        Burial said = own.burial(registration.id());
        return said != null && said.isOver(registration) || elsewhere.isOver(registration);
    }

    /** Whether this node's word on that instance is the latest, and the one that shows. */
    boolean isHome(InstanceId instance) {
        Registration here = current(instance);
        return here != null && elsewhere.highest(instance) <= here.generation() && !isBeaten(here);
    }

    /** Whether the copy of a node that is there shows rather than this one, be it of the same generation. */
    boolean isBeaten(Registration here) {
        ShardId shard = own.get(here.id()) == here ? own.id() : restored.shard().id();
        return elsewhere.beats(here.id(), shard, here.generation());
    }

    /** Whether any other copy shows rather than this one. */
    boolean isHidden(Registration here) {
        Registration there = elsewhere.find(here.id());
        return there != null && there.generation() > here.generation() || isBeaten(here);
    }

    /** Whether this node or another one that is there has it from somebody. */
    boolean isVouched(InstanceId id) {
        return own.get(id) != null || elsewhere.isVouched(id, copy -> true);
    }

    /**
     * Whether somebody else's of no later generation is in doubt at a node that is there. A verdict on what nobody vouches for
     * would take that along, which has its grace: its own node decides on it first.
     */
    boolean isBesideOneInDoubt(Registration left) {
        Registration here = own.get(left.id());
        return here != null && isAnotherInDoubt(here, left)
                || elsewhere.isVouched(left.id(), copy -> isAnotherInDoubt(copy, left));
    }

    private static boolean isAnotherInDoubt(Registration copy, Registration left) {
        return copy.inDoubt()
                && copy.generation() <= left.generation()
                && !copy.publisher().id().equals(left.publisher().id());
    }

    /**
     * Whether the publisher of what the disk had was seen at another node, even if that node knew of no generation; where he
     * is in doubt, too, only if he came there later.
     */
    boolean isSuperseded(Registration earlier, RemovalCause cause) {
        Registration there = cause.certain() ? null : elsewhere.find(earlier.id());
        if (there == null || !there.publisher().id().equals(earlier.publisher().id())) {
            return false;
        }
        boolean isLater = there.generation() >= earlier.generation()
                || there.publisher().attempt() > earlier.publisher().attempt();
        return isLater || !there.inDoubt();
    }

    // ---- what a session has said, here and elsewhere

    /** Whether that is a session's, and of that one. */
    static boolean isOf(Registration registration, String session) {
        return registration.publisher().isSession()
                && registration.publisher().id().equals(session);
    }

    /** Whether the session has been elsewhere since, and has not said it again; a generation may be inherited and high. */
    static boolean isLeftBehind(@Nullable Registration registration, Lease lease) {
        return registration != null && registration.publisher().attempt() < lease.publisher.attempt();
    }

    /** Whether no other node can have a later word on what the session holds here. */
    boolean showsAll(Lease lease) {
        for (InstanceId id : lease.instances) {
            Registration registration = own.get(id);
            if (registration == null
                    || elsewhere.highest(id) > registration.generation()
                    || isLeftBehind(registration, lease)) {
                return false;
            }
        }
        return true;
    }

    /**
     * Whether the session has spoken for that instance on a later connection to another node, and this comes late. It may
     * have taken back since what it said there, so what is known of the instance counts, and not only what stands.
     */
    boolean movedOn(InstanceId id, Lease lease) {
        if (lease.attemptElsewhere > lease.attempt && elsewhere.highest(id) >= lease.attemptElsewhere << ATTEMPT_BITS) {
            return true;
        }
        Registration there = alone ? null : elsewhere.find(id);
        return there != null
                && isOf(there, lease.publisher.id())
                && there.publisher().attempt() > lease.attempt;
    }

    /** Whether somebody else, who is in touch there, has followed the session that holds it here. */
    static boolean isFollowed(Registration registration, Lease lease, @Nullable Registration there) {
        return there != null
                && lease.publisher.isSession()
                && !there.inDoubt()
                && registration.generation() < there.generation()
                && !isOf(there, lease.publisher.id());
    }

    // ---- the generation of a new word, and how far the end of one reaches

    /** Generations of what a session says begin above all that it said before it came to this node. */
    static long least(Lease lease) {
        return lease.publisher.attempt() << ATTEMPT_BITS;
    }

    /**
     * A generation above all that is known of the instance. No session counts what is put by HTTP: of a new word and one
     * that only goes on with what was known, given by two nodes at once, the new one is to show.
     */
    long above(Instance instance, Lease lease, long there) {
        long known = Math.max(Math.max(own.highest(instance.id()), restored.highest(instance.id())), there);
        if (alone || lease.publisher.isSession()) {
            return known + 1;
        }
        boolean goesOn = latest(instance.id())
                .filter(latest -> latest.instance().equals(instance)
                        && latest.publisher().id().equals(lease.publisher.id()))
                .isPresent();
        return goesOn ? known + 1 : (known | GOING_ON) + 1;
    }

    /** Ends all that the session had said before it came here, too, whatever generation other nodes gave that. */
    static Burial goodbye(@Nullable Lease lease, String session, long generation) {
        long attempt = lease == null ? 0 : lease.publisher.attempt();
        return new Burial(session, generation, RemovalCause.DEREGISTERED, attempt);
    }

    /**
     * How far the end of a registration of this node reaches. Another node may have given the same generation without knowing
     * of it: while somebody is in touch with that one, or it is the one that shows, this end says nothing about it.
     */
    Burial word(Registration removed, RemovalCause cause, @Nullable Lease lease) {
        if (cause == RemovalCause.DEREGISTERED) {
            return goodbye(lease, removed.publisher().id(), removed.generation());
        }
        Burial word = end(removed, cause);
        Registration there = word.explicit() ? null : elsewhere.find(removed.id());
        boolean isShared = there != null && there.generation() == word.generation();
        return isShared && !cause.certain() ? Burial.OWN : word;
    }

    /**
     * The end of a registration, of this incarnation or the earlier one. What another node has of the same generation, hidden
     * by it and in doubt itself, must not show in its place, and goes with it.
     */
    Burial end(Registration removed, RemovalCause cause) {
        Burial end = new Burial(removed.publisher().id(), removed.generation(), cause);
        Registration there = end.explicit() ? null : elsewhere.find(removed.id());
        boolean isHidden =
                there != null && there.generation() == removed.generation() && there.inDoubt() && !isBeaten(removed);
        return isHidden ? new Burial(end.publisher(), removed.generation() + 1, cause) : end;
    }
}
