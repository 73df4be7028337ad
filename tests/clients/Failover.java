import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.cache.ChildData;
import org.apache.curator.framework.recipes.cache.TreeCache;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.KeeperException;

/**
 * Curator's recipes against the ensemble at args[0], whose leader is killed while they are at work: prints "kill
 * now" when all are, and goes on when a line comes.
 */
@SuppressWarnings("deprecation")
public final class Failover {
    private static final int TIMEOUT_S = 60;
    private static final int TURNS = 15;

    public static void main(String[] args) throws Exception {
        String servers = args[0];
        Latches latches = new Latches(servers);
        Mutex mutex = new Mutex(servers);
        Cache cache = new Cache(servers);
        latches.oneLeads();
        mutex.awaitTurns(TURNS);
        cache.follows("before");

        System.out.println("kill now");
        new BufferedReader(new InputStreamReader(System.in)).readLine();
        mutex.awaitTurns(TURNS);
        cache.follows("after");
        latches.oneLeadsAfterTheOther();
        mutex.end();
        cache.end();
        System.out.println("all did their jobs");
    }

    /** Three candidates, one of which leads. */
    private static final class Latches {
        private final List<CuratorFramework> clients = new ArrayList<>();
        private final List<LeaderLatch> latches = new ArrayList<>();

        Latches(String servers) throws Exception {
            for (int i = 0; i < 3; i++) {
                CuratorFramework client = connect(servers);
                LeaderLatch latch = new LeaderLatch(client, "/failover/leader", "candidate-" + i);
                latch.start();
                clients.add(client);
                latches.add(latch);
            }
        }

        LeaderLatch oneLeads() throws Exception {
            await("one leader, whom all know", () -> {
                List<LeaderLatch> leaders = new ArrayList<>(latches);
                leaders.removeIf(latch -> !latch.hasLeadership());
                return leaders.size() == 1
                        && latches.stream().allMatch(latch -> leaderOf(latch).equals(leaders.get(0).getId()));
            });
            return latches.stream().filter(LeaderLatch::hasLeadership).findFirst().orElseThrow();
        }

        void oneLeadsAfterTheOther() throws Exception {
            while (!latches.isEmpty()) {
                int index = latches.indexOf(oneLeads());
                latches.remove(index).close();
                clients.remove(index).close();
            }
        }

        private static String leaderOf(LeaderLatch latch) {
            try {
                return latch.getLeader().getId();
            } catch (Exception connectionLost) {
                return "";
            }
        }
    }

    /** Clients that hold a lock in turn. */
    private static final class Mutex {
        private final AtomicBoolean isOver = new AtomicBoolean();
        private final AtomicInteger holders = new AtomicInteger();
        private final AtomicInteger turns = new AtomicInteger();
        private final BlockingQueue<Throwable> failures = new LinkedBlockingQueue<>();
        private final List<Thread> threads = new ArrayList<>();

        Mutex(String servers) {
            for (int i = 0; i < 3; i++) {
                Thread thread = new Thread(() -> {
                    try (CuratorFramework client = connect(servers)) {
                        InterProcessMutex mutex = new InterProcessMutex(client, "/failover/mutex");
                        while (!isOver.get()) {
                            turn(mutex);
                        }
                    } catch (Throwable failure) {
                        failures.add(failure);
                    }
                });
                thread.start();
                threads.add(thread);
            }
        }

        private void turn(InterProcessMutex mutex) throws Exception {
            try {
                check(mutex.acquire(TIMEOUT_S, TimeUnit.SECONDS), "the lock was granted");
            } catch (KeeperException.ConnectionLossException lost) {
                return;
            }
            check(holders.incrementAndGet() == 1, "one holder");
            Thread.yield();
            holders.decrementAndGet();
            turns.incrementAndGet();
            mutex.release();
        }

        void awaitTurns(int more) throws Exception {
            int goal = turns.get() + more;
            await("more turns", () -> turns.get() >= goal || !failures.isEmpty());
            checkFailures();
        }

        void end() throws Exception {
            isOver.set(true);
            for (Thread thread : threads) {
                thread.join(TimeUnit.SECONDS.toMillis(TIMEOUT_S));
                check(!thread.isAlive(), "all threads end");
            }
            checkFailures();
        }

        private void checkFailures() {
            if (!failures.isEmpty()) {
                throw new AssertionError(failures.peek());
            }
        }
    }

    /** A cache of one client that follows what another writes. */
    private static final class Cache {
        private final CuratorFramework writer;
        private final CuratorFramework reader;
        private final TreeCache cache;

        Cache(String servers) throws Exception {
            writer = connect(servers);
            reader = connect(servers);
            writer.create().creatingParentsIfNeeded().forPath("/failover/tree");
            cache = new TreeCache(reader, "/failover/tree");
            cache.start();
        }

        void follows(String name) throws Exception {
            String parent = "/failover/tree/" + name;
            for (int i = 0; i < 10; i++) {
                String path = parent + "/" + i;
                insist(() -> writer.create().creatingParentsIfNeeded().forPath(path));
                insist(() -> writer.setData().forPath(path, path.getBytes()));
            }
            insist(() -> writer.delete().forPath(parent + "/0"));
            await("the cache to see all of it", () -> {
                Map<String, ChildData> children = cache.getCurrentChildren(parent);
                return children != null && children.size() == 9
                        && children.values().stream().allMatch(Cache::isWhole);
            });
        }

        private static boolean isWhole(ChildData child) {
            return Arrays.equals(child.getData(), child.getPath().getBytes());
        }

        void end() {
            cache.close();
            writer.close();
            reader.close();
        }
    }

    private interface Write {
        Object apply() throws Exception;
    }

    /** Writes until it is known to be done, by this attempt or by one before. */
    private static void insist(Write write) throws Exception {
        while (true) {
            try {
                write.apply();
                return;
            } catch (KeeperException.ConnectionLossException lost) {
                // Again.
            } catch (KeeperException.NodeExistsException | KeeperException.NoNodeException done) {
                return;
            }
        }
    }

    private static CuratorFramework connect(String servers) throws Exception {
        CuratorFramework client = CuratorFrameworkFactory.newClient(servers, new RetryNTimes(50, 100));
        client.start();
        check(client.blockUntilConnected(TIMEOUT_S, TimeUnit.SECONDS), "a connection to " + servers);
        return client;
    }

    private static void await(String what, BooleanSupplier condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_S);
        while (!condition.getAsBoolean()) {
            check(System.nanoTime() < deadline, what);
            Thread.sleep(10);
        }
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("expected: " + what);
        }
    }
}
