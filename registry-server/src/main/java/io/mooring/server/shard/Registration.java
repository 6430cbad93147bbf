package io.mooring.server.shard;

import io.mooring.model.Instance;
import io.mooring.model.InstanceId;
import io.mooring.model.ListedInstance;
import io.mooring.model.Standing;

/**
 * An instance as a node accepted it.
 *
 * @param instance what its publisher said
 * @param publisher who keeps it alive
 * @param generation higher than any the accepting node had seen for this instance; decides between shards
 * @param suspect whether its publisher is out of touch
 * @param followed whether somebody else has registered it at another node since its publisher was heard of last; who has not
 *     heard of that one yet lists it as before, and the end of that one hides it
 * @param extension what a newer version of this program added and this one hands on unread; one character per octet
 */
public record Registration(
        Instance instance, Publisher publisher, long generation, boolean suspect, boolean followed, String extension) {
    public Registration(Instance instance, Publisher publisher, long generation, boolean suspect) {
        this(instance, publisher, generation, suspect, false, "");
    }

    public InstanceId id() {
        return instance.id();
    }

    /** The same, as sure as that. */
    public Registration doubted(boolean newSuspect, boolean newFollowed) {
        return newSuspect == suspect && newFollowed == followed
                ? this
                : new Registration(instance, publisher, generation, newSuspect, newFollowed, extension);
    }

    /** The same, granted anew. */
    public Registration raisedTo(long newGeneration) {
        return new Registration(instance, publisher, newGeneration, suspect, followed, extension);
    }

    /** Whether its node does not vouch for it at the moment. */
    public boolean inDoubt() {
        return suspect || followed;
    }

    /**
     * Which of two copies of an instance shows: the one of the higher generation; if they are the same, that of the node
     * of the higher name, then incarnation.
     *
     * @param mine where this one stands
     * @param generation of the other one
     * @param theirs where the other one stands
     */
    public boolean beats(ShardId mine, long generation, ShardId theirs) {
        return this.generation != generation ? this.generation > generation : mine.compareTo(theirs) > 0;
    }

    /** Its share of the shard's checksum. */
    long fingerprint() {
        long h = new ListedInstance(instance, suspect ? Standing.SUSPECT : Standing.LIVE).fingerprint();
        h = (h ^ generation ^ (followed ? Long.MIN_VALUE : 0)) * 0xff51afd7ed558ccdL;
        return h ^ h >>> 32;
    }
}
