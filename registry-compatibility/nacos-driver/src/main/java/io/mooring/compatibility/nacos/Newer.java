package io.mooring.compatibility.nacos;

import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.pojo.Instance;
import com.alibaba.nacos.api.naming.pojo.ListView;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/** Calls that the oldest generation, with which this is compiled, does not have. Where the running one lacks it, they fail. */
final class Newer {
    private Newer() {}

    static void batchRegister(NamingService naming, String service, String group, List<Instance> instances)
            throws Exception {
        call(
                NamingService.class.getMethod("batchRegisterInstance", String.class, String.class, List.class),
                naming,
                service,
                group,
                instances);
    }

    static void batchDeregister(NamingService naming, String service, String group, List<Instance> instances)
            throws Exception {
        call(
                NamingService.class.getMethod("batchDeregisterInstance", String.class, String.class, List.class),
                naming,
                service,
                group,
                instances);
    }

    /**
     * Watches the services whose names match.
     *
     * @param told takes the name of a service and what happened to it, as the library says it
     * @return the keys of those that match already
     */
    static List<String> watchServices(
            NamingService naming, String pattern, String group, BiConsumer<String, String> told) throws Exception {
        Class<?> watcher = Class.forName("com.alibaba.nacos.api.naming.listener.FuzzyWatchEventWatcher");
        Object listening = Proxy.newProxyInstance(
                watcher.getClassLoader(), new Class<?>[] {watcher}, (self, method, arguments) -> {
                    return switch (method.getName()) {
                        case "onEvent" -> {
                            Object event = arguments[0];
                            told.accept(word(event, "getServiceName"), word(event, "getChangeType"));
                            yield null;
                        }
                        case "getExecutor" -> (Executor) Runnable::run;
                        case "hashCode" -> System.identityHashCode(self);
                        case "equals" -> self == arguments[0];
                        default -> "a watcher of services";
                    };
                });
        Method method = NamingService.class.getMethod("fuzzyWatchWithServiceKeys", String.class, String.class, watcher);
        Future<?> initial = (Future<?>) call(method, naming, pattern, group, listening);
        List<String> out = new ArrayList<>();
        for (Object key : ((ListView<?>) initial.get(10, TimeUnit.SECONDS)).getData()) {
            out.add(key.toString());
        }
        return out;
    }

    private static String word(Object event, String getter) throws Exception {
        return (String) event.getClass().getMethod(getter).invoke(event);
    }

    private static Object call(Method method, Object on, Object... arguments) throws Exception {
        try {
            return method.invoke(on, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }
}
