package io.mooring.server.shard;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mooring.model.RemovalCause;
import org.junit.jupiter.api.Test;

/** Which of two words on one instance is remembered, in whatever order they arrive. */
class BurialTest {
    private static Burial of(String publisher, long generation, RemovalCause cause) {
        return new Burial(publisher, generation, cause);
    }

    private static void assertFurther(Burial expected, Burial one, Burial other) {
        assertEquals(expected, Burial.further(one, other));
        assertEquals(expected, Burial.further(other, one), "the other way round");
    }

    @Test
    void theHigherGenerationReachesFurtherWhateverTheCause() {
        for (RemovalCause low : RemovalCause.values()) {
            for (RemovalCause high : RemovalCause.values()) {
                Burial higher = of("another", 8, high);
                assertFurther(higher, of("p", 7, low), higher);
            }
        }
    }

    @Test
    void ofOneGenerationWhatWasAskedForReachesFurtherThanAVerdict() {
        Burial asked = of("p", 7, RemovalCause.OPERATOR);
        assertFurther(asked, of("another", 7, RemovalCause.LEASE_EXPIRED), asked);
        assertFurther(asked, asked, asked.remembered());
    }

    @Test
    void aGoodbyesConnectionIsKeptWithAHigherWordOfTheSamePublisherOnly() {
        Burial goodbye = new Burial("p", 7, RemovalCause.DEREGISTERED, 3);
        Burial higher = of("p", 8, RemovalCause.ORPHANED);
        assertFurther(higher.on(3), goodbye, higher);
        Burial another = of("another", 8, RemovalCause.ORPHANED);
        assertFurther(another, goodbye, another);
    }

    @Test
    void whatWasNotKnownBeforeIsRemembered() {
        Burial first = of("p", 7, RemovalCause.ORPHANED);
        assertEquals(first, Burial.further(null, first));
    }
}
