package io.mooring.server.shard;

import io.mooring.model.RemovalCause;
import org.jspecify.annotations.Nullable;

/**
 * Which copies of an instance a removal ends, in whatever shard they stand: those of the same publisher up to a
 * generation, or of an earlier connection than that on which it took the instance back; those below the generation that
 * are in doubt, whoever's they are: nobody vouches for them, and what they say was over before; and if a publisher or an
 * operator asked for the removal, everybody's up to that generation. So what a session left behind on the node it came
 * from goes with it, and a newer registration stays.
 *
 * @param publisher the {@linkplain Publisher#id() id} of whom the removed registration belonged to
 * @param generation of the removed registration; 0 reaches only the copy of the shard in which it is said, whatever that is
 * @param cause why
 * @param everybodys whether it reaches everybody's copies, and not its publisher's alone
 * @param attempt of a session's goodbye, the {@linkplain Publisher#attempt() connection} with which it came to the node that
 *     heard it: whatever it had said elsewhere before is over, though that node may not know how high its generation is; 0
 *     of all other removals
 */
public record Burial(String publisher, long generation, RemovalCause cause, boolean everybodys, long attempt) {
    public Burial(String publisher, long generation, RemovalCause cause) {
        this(publisher, generation, cause, 0);
    }

    public Burial(String publisher, long generation, RemovalCause cause, long attempt) {
        this(publisher, generation, cause, isExplicit(cause), attempt);
    }

    /** Of the shard's own copy, which speaks for no other. */
    public static final Burial OWN = new Burial("", 0, RemovalCause.ORPHANED);

    /** Whether that copy's time is over, in whatever shard it stands. */
    public boolean reaches(Registration copy) {
        boolean same = copy.publisher().id().equals(publisher);
        return copy.generation() <= generation && (everybodys || same)
                || copy.generation() < generation && isDoubtfulSince(copy)
                || same && copy.publisher().attempt() < attempt;
    }

    /**
     * Whether nothing says that the copy's publisher was heard of after this one. Whoever is only followed has been heard of
     * within its lease: that is later than who was silent for one.
     */
    private boolean isDoubtfulSince(Registration copy) {
        return copy.suspect() || copy.followed() && cause != RemovalCause.LEASE_EXPIRED;
    }

    /** The same word, said on that connection. */
    public Burial on(long newAttempt) {
        return new Burial(publisher, generation, cause, everybodys, newAttempt);
    }

    /**
     * The same word, said again when its time is over: whom else it was to reach it has reached, and what others have been
     * granted since, perhaps in ignorance of it, is later.
     */
    public Burial remembered() {
        return everybodys ? new Burial(publisher, generation, cause, false, attempt) : this;
    }

    /** Whether that copy is what its publisher left behind somewhere, and must not show when it arrives late. */
    public boolean isOver(Registration late) {
        return late.publisher().id().equals(publisher) && reaches(late);
    }

    /** Whether somebody asked for it, so that nothing speaks for the instance any more. */
    public boolean explicit() {
        return isExplicit(cause);
    }

    private static boolean isExplicit(RemovalCause cause) {
        return cause == RemovalCause.DEREGISTERED || cause == RemovalCause.OPERATOR;
    }

    /** Of two words on one instance, said in any order, the one that is to be remembered: it reaches further. */
    public static Burial further(@Nullable Burial one, Burial other) {
        if (one == null) {
            return other;
        }
        boolean higher = other.generation() > one.generation();
        boolean wider =
                other.generation() == one.generation() && (other.everybodys() || other.explicit() && !one.everybodys());
        Burial further = higher || wider ? other : one;
        boolean same = one.publisher().equals(other.publisher());
        return same ? further.on(Math.max(one.attempt(), other.attempt())) : further;
    }
}
