package io.mooring.client;

import java.util.concurrent.atomic.LongAdder;

/** What happened so far. Written by the loop and others, read by anybody. */
final class Counters {
    final LongAdder attempts = new LongAdder();
    final LongAdder connections = new LongAdder();
    final LongAdder watchdogRestarts = new LongAdder();
    final LongAdder internalFailures = new LongAdder();
    final LongAdder doubts = new LongAdder();
    final LongAdder lateReplies = new LongAdder();
    final LongAdder refused = new LongAdder();
    final LongAdder guardHolds = new LongAdder();
    final LongAdder repairs = new LongAdder();
    final LongAdder diskFailures = new LongAdder();
    final LongAdder listenerFailures = new LongAdder();
    final LongAdder ejections = new LongAdder();
}
