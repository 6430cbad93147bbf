package io.mooring.simulation;

/** A property did not hold. */
final class Violation extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String property;

    /** @param property its name, as in the table of docs/reliability.md */
    Violation(String property, String what) {
        super(property + ": " + what);
        this.property = property;
    }

    String property() {
        return property;
    }
}
