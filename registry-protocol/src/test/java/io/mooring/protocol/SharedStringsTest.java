package io.mooring.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;

class SharedStringsTest {
    private final SharedStrings strings = new SharedStrings();

    @Test
    void equalShortTextsShareOneString() {
        assertSame(of("orders"), of("orders"));
        assertEquals("orders", of("orders"));
        assertSame(of(""), of(""));
    }

    @Test
    void textsThatMeetInASlotStayApart() {
        assertEquals("Aa", of("Aa")); // "Aa" and "BB" have the same hash
        assertEquals("BB", of("BB"));
        assertEquals("Aa", of("Aa"));
    }

    @Test
    void longTextsAreNotKept() {
        String text = "t".repeat(49);
        assertEquals(text, of(text));
        assertNotSame(of(text), of(text));
    }

    private String of(String text) {
        char[] chars = ("<" + text + ">").toCharArray();
        return strings.of(chars, 1, text.length());
    }
}
