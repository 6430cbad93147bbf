package io.mooring.compatibility.application;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/** Calls again and again, as a busy application, and counts who answered. */
final class Caller implements Runnable {
    private static final int SHOWN = 5;

    private final Callable<String> call;
    private final Map<String, Integer> answers = new TreeMap<>();
    private final List<String> failures = new ArrayList<>();
    private final long began = System.nanoTime();
    private int failed;
    private volatile boolean ended;

    private Caller(Callable<String> call) {
        this.call = call;
    }

    static Caller start(Callable<String> call) {
        Caller caller = new Caller(call);
        Thread thread = new Thread(caller, "calls");
        thread.setDaemon(true);
        thread.start();
        return caller;
    }

    @Override
    public void run() {
        while (!ended) {
            try {
                answered(call.call());
            } catch (Throwable e) { // whatever a user of the application would have met
                failed(Program.told(e));
            }
            LockSupport.parkNanos(10_000_000);
        }
    }

    private synchronized void answered(String who) {
        answers.merge(who, 1, Integer::sum);
    }

    private synchronized void failed(String why) {
        failed++;
        if (failures.size() < SHOWN) {
            failures.add("after " + (System.nanoTime() - began) / 1_000_000 + " ms: " + why);
        }
    }

    /** What became of the calls since it was asked last. */
    synchronized void take(ObjectNode answer) {
        ObjectNode by = answer.putObject("answers");
        answers.forEach(by::put);
        answer.put("failed", failed);
        ArrayNode why = answer.putArray("why");
        failures.forEach(why::add);
        answers.clear();
        failures.clear();
        failed = 0;
    }

    void end() {
        ended = true;
    }
}
