package io.mooring.server.shard;

import io.mooring.model.RemovalCause;
import org.jspecify.annotations.Nullable;

/**
 * Which copies of an instance a removal ends, in whatever shard they stand: those of the same publisher up to a
 * generation; those below it that are in doubt, whoever's they are: nobody vouches for them, and what they say was over
 * before; and if a publisher or an operator asked for the removal, everybody's up to that generation. So what a session
 * left behind on the node it came from goes with it, and a newer registration stays.
 *
 * @param publisher the {@linkplain Publisher#id() id} of whom the removed registration belonged to
 * @param generation of the removed registration; 0 reaches only the copy of the shard in which it is said, whatever that is
 * @param cause why
 * @param everybodys whether it reaches everybody's copies, and not its publisher's alone
 */
public record Burial(String publisher, long generation, RemovalCause cause, boolean everybodys) {
    public Burial(String publisher, long generation, RemovalCause cause) {
        this(publisher, generation, cause, isExplicit(cause));
    }

    /** Of the shard's own copy, which speaks for no other. */
    public static final Burial OWN = new Burial("", 0, RemovalCause.ORPHANED);

    /** Whether that copy's time is over, in whatever shard it stands. */
    public boolean reaches(Registration copy) {
        return copy.generation() <= generation
                        && (everybodys || copy.publisher().id().equals(publisher))
                || copy.generation() < generation && copy.suspect();
    }

    /**
     * The same word, said again when its time is over: whom else it was to reach it has reached, and what others have been
     * granted since, perhaps in ignorance of it, is later.
     */
    public Burial remembered() {
        return everybodys ? new Burial(publisher, generation, cause, false) : this;
    }

    /**
     * Whether that copy is what its publisher left behind somewhere, or what was in doubt and superseded already, and must not
     * show when it arrives late.
     */
    public boolean isOver(Registration late) {
        return remembered().reaches(late);
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
        if (one == null || one.generation() < other.generation()) {
            return other;
        }
        return one.generation() == other.generation() && (other.everybodys() || other.explicit() && !one.everybodys())
                ? other
                : one;
    }
}
