import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

/**
 * A client with one session, at work while the servers at args[0] are replaced: it creates sequential nodes, counts,
 * reads what it wrote, and keeps an ephemeral node and a watch. It bears with lost connections and with nothing else.
 *
 * <p>Prints "at work" when it is. For each line "more" it writes some more and prints "wrote more"; at "finish" it
 * checks that its session lives and nothing acknowledged is missing, and prints "all is well". resident.py does the
 * same.
 */
public final class Resident {
    private static final int SESSION_TIMEOUT_MS = 30_000;
    private static final int TIMEOUT_S = 60;
    private static final int WRITES = 20;
    private static final int PACE_MS = 5;
    private static final String ROOT = "/resident-java";
    private static final String SHARED = "/resident-counter";

    private final CountDownLatch connected = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);
    private final AtomicInteger reconnections = new AtomicInteger(-1);
    private final AtomicInteger endings = new AtomicInteger();
    private final ZooKeeper client;
    private final long session;

    /** What each acknowledged node holds, and what nodes hold that may be there or not. */
    private final Map<String, String> acknowledged = new HashMap<>();
    private final Set<String> unknown = new HashSet<>();
    private final Counter own = new Counter(ROOT + "/counter", false);
    private final Counter shared = new Counter(SHARED, true);
    private int count;

    public static void main(String[] args) throws Exception {
        Resident resident = new Resident(args[0]);
        resident.write();
        System.out.println("at work");
        BlockingQueue<String> asked = new LinkedBlockingQueue<>();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        Thread reader = new Thread(() -> input.lines().forEach(asked::add));
        reader.setDaemon(true);
        reader.start();
        int goal = Integer.MAX_VALUE;
        for (String line = ""; !"finish".equals(line); line = asked.poll(PACE_MS, TimeUnit.MILLISECONDS)) {
            resident.write();
            if ("more".equals(line)) {
                goal = resident.acknowledged.size() + WRITES;
            }
            if (resident.acknowledged.size() >= goal) {
                System.out.println("wrote more");
                goal = Integer.MAX_VALUE;
            }
        }
        resident.finish();
    }

    private Resident(String servers) throws Exception {
        client = new ZooKeeper(servers, SESSION_TIMEOUT_MS, this::onEvent);
        check(connected.await(TIMEOUT_S, TimeUnit.SECONDS), "a connection to " + servers);
        session = client.getSessionId();
        client.create(ROOT, null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        client.create(ROOT + "/mine", null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        client.create(own.path, "0".getBytes(), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        check(client.exists(ROOT + "/end", true) == null, "no end at the beginning");
    }

    private void onEvent(WatchedEvent event) {
        if (event.getType() == EventType.NodeCreated) {
            endings.incrementAndGet();
            ended.countDown();
        } else if (event.getState() == KeeperState.SyncConnected) {
            reconnections.incrementAndGet();
            connected.countDown();
        } else if (event.getState() != KeeperState.Disconnected && event.getState() != KeeperState.Closed) {
            fail(new AssertionError("the session is " + event.getState()));
        }
    }

    private void write() throws Exception {
        String value = "value-" + ++count;
        unknown.add(value);
        try {
            String path = client.create(
                    ROOT + "/s-", value.getBytes(), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL);
            unknown.remove(value);
            acknowledged.put(path, value);
            byte[] read = client.getData(path, false, null);
            check(new String(read).equals(value), "to read what was written at " + path);
            own.increment();
            shared.increment();
        } catch (KeeperException.ConnectionLossException lost) {
            // What else can happen is what this program is looking for.
        }
    }

    private void finish() throws Exception {
        client.create(ROOT + "/end", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        check(ended.await(TIMEOUT_S, TimeUnit.SECONDS), "the event of a watch from the beginning");
        check(endings.get() == 1, "one event");
        check(client.getSessionId() == session, "the same session");
        Stat mine = client.exists(ROOT + "/mine", false);
        check(mine != null && mine.getEphemeralOwner() == session, "the ephemeral node");
        own.verify();
        shared.verify();
        List<String> found = new ArrayList<>(client.getChildren(ROOT, false));
        found.removeIf(name -> !name.startsWith("s-"));
        for (String name : found) {
            String path = ROOT + "/" + name;
            String value = new String(client.getData(path, false, null));
            String expected = acknowledged.remove(path);
            check(expected != null ? expected.equals(value) : unknown.remove(value), path + " with " + value);
        }
        check(acknowledged.isEmpty(), "all of " + acknowledged);
        client.close();
        System.out.println("all is well: " + found.size() + " nodes, " + reconnections + " reconnections");
    }

    /** A number that goes up by compare and set. */
    private final class Counter {
        private final String path;
        private final boolean isShared;
        private int acknowledged;
        private int unknown;
        private int newest;

        Counter(String path, boolean isShared) {
            this.path = path;
            this.isShared = isShared;
        }

        void increment() throws Exception {
            Stat stat = new Stat();
            int value = Integer.parseInt(new String(client.getData(path, false, stat)));
            check(value >= newest, path + " does not go back from " + newest + " to " + value);
            unknown++;
            try {
                client.setData(path, Integer.toString(value + 1).getBytes(), stat.getVersion());
                newest = value + 1;
                acknowledged++;
            } catch (KeeperException.BadVersionException overtaken) {
                // By another client, or by a request of this one that a lost connection has left on its way.
                check(isShared || unknown > 1, "nobody else to count at " + path);
            }
            unknown--;
        }

        void verify() throws Exception {
            int value = Integer.parseInt(new String(client.getData(path, false, null)));
            boolean isPossible = isShared
                    ? value >= newest && value >= acknowledged
                    : value >= acknowledged && value <= acknowledged + unknown;
            check(isPossible, path + " to be right at " + value + " after " + acknowledged + " and " + unknown);
            System.out.println("counted " + path + " " + acknowledged + " " + unknown);
        }
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("expected: " + what);
        }
    }

    private static void fail(Throwable failure) {
        failure.printStackTrace();
        Runtime.getRuntime().halt(1);
    }
}
