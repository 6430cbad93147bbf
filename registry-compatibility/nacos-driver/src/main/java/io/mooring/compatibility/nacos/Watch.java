package io.mooring.compatibility.nacos;

import com.alibaba.nacos.api.naming.pojo.Instance;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Looks every 20 ms, as a caller would before each call, and tells what differs from the look before. */
final class Watch implements Runnable {
    private final Callable<List<Instance>> look;
    private final Consumer<List<Instance>> differs;
    private final Consumer<Exception> fails;
    private volatile boolean ended;

    private Watch(Callable<List<Instance>> look, Consumer<List<Instance>> differs, Consumer<Exception> fails) {
        this.look = look;
        this.differs = differs;
        this.fails = fails;
    }

    static Watch of(Callable<List<Instance>> look, Consumer<List<Instance>> differs, Consumer<Exception> fails) {
        Watch watch = new Watch(look, differs, fails);
        Thread thread = new Thread(watch, "watch");
        thread.setDaemon(true);
        thread.start();
        return watch;
    }

    @Override
    public void run() {
        @Nullable Object before = null;
        while (!ended) {
            @Nullable Object now;
            try {
                List<Instance> list = look.call();
                now = list.toString();
                if (!now.equals(before)) {
                    differs.accept(list);
                }
            } catch (Exception e) { // whatever a caller would have met
                now = e.toString();
                if (!now.equals(before)) {
                    fails.accept(e);
                }
            }
            before = now;
            LockSupport.parkNanos(20_000_000);
        }
    }

    void end() {
        ended = true;
    }
}
