package io.mooring.server.edge.http;

/** Ends the handling of a request with that problem. Carries no stack trace: it tells of the sender's doing, not ours. */
final class ProblemException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Problem problem;

    ProblemException(Problem problem) {
        super(problem.detail(), null, false, false);
        this.problem = problem;
    }

    Problem problem() {
        return problem;
    }
}
