import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.cache.TreeCache;
import org.apache.curator.framework.recipes.cache.TreeCacheEvent;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.RetryOneTime;

/** Curator's recipes against the server at args[0]: each must do its job. */
@SuppressWarnings("deprecation")
public final class Recipes {
    private static final int TIMEOUT_S = 30;

    public static void main(String[] args) throws Exception {
        String server = args[0];
        leaderLatch(server);
        interProcessMutex(server);
        treeCache(server);
    }

    /** One of three leads; when it goes, another does, until none is left. */
    private static void leaderLatch(String server) throws Exception {
        List<CuratorFramework> clients = new ArrayList<>();
        List<LeaderLatch> latches = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            CuratorFramework client = connect(server);
            LeaderLatch latch = new LeaderLatch(client, "/curator/leader", "candidate-" + i);
            latch.start();
            clients.add(client);
            latches.add(latch);
        }
        while (!latches.isEmpty()) {
            LeaderLatch leader = awaitLeader(latches);
            int index = latches.indexOf(leader);
            check(latches.stream().filter(LeaderLatch::hasLeadership).count() == 1, "one leader");
            check(leader.getLeader().getId().equals(leader.getId()), "all know the leader");
            latches.remove(index);
            CuratorFramework client = clients.remove(index);
            // One gives up, the next loses its session with the leadership.
            if (latches.size() % 2 == 0) {
                leader.close();
            }
            client.close();
        }
        System.out.println("LeaderLatch: three leaders, one after the other");
    }

    private static LeaderLatch awaitLeader(List<LeaderLatch> latches) throws Exception {
        await("a leader", () -> latches.stream().anyMatch(LeaderLatch::hasLeadership));
        return latches.stream().filter(LeaderLatch::hasLeadership).findFirst().orElseThrow();
    }

    /** Threads of several clients increment a number that only the lock protects. */
    private static void interProcessMutex(String server) throws Exception {
        int clients = 4;
        int rounds = 25;
        AtomicInteger holders = new AtomicInteger();
        int[] counter = {0};
        BlockingQueue<Throwable> failures = new LinkedBlockingQueue<>();
        CountDownLatch done = new CountDownLatch(clients);
        for (int i = 0; i < clients; i++) {
            new Thread(() -> {
                try (CuratorFramework client = connect(server)) {
                    InterProcessMutex mutex = new InterProcessMutex(client, "/curator/mutex");
                    for (int round = 0; round < rounds; round++) {
                        check(mutex.acquire(TIMEOUT_S, TimeUnit.SECONDS), "the lock was granted");
                        check(mutex.acquire(TIMEOUT_S, TimeUnit.SECONDS), "the lock is reentrant");
                        check(holders.incrementAndGet() == 1, "one holder");
                        counter[0]++;
                        holders.decrementAndGet();
                        mutex.release();
                        mutex.release();
                    }
                } catch (Throwable failure) {
                    failures.add(failure);
                }
                done.countDown();
            }).start();
        }
        check(done.await(4 * TIMEOUT_S, TimeUnit.SECONDS), "all threads end");
        if (!failures.isEmpty()) {
            throw new AssertionError(failures.peek());
        }
        check(counter[0] == clients * rounds, "no increment is lost");
        System.out.println("InterProcessMutex: " + counter[0] + " turns of " + clients + " clients");
    }

    /** A cache of one client follows what another does. */
    private static void treeCache(String server) throws Exception {
        try (CuratorFramework writer = connect(server);
                CuratorFramework reader = connect(server)) {
            writer.create().creatingParentsIfNeeded().forPath("/curator/tree/old", bytes("1"));
            BlockingQueue<String> events = new LinkedBlockingQueue<>();
            TreeCache cache = new TreeCache(reader, "/curator/tree");
            cache.getListenable().addListener((client, event) -> events.add(describe(event)));
            cache.start();
            awaitEvents(events, "NODE_ADDED /curator/tree", "NODE_ADDED /curator/tree/old", "INITIALIZED");

            writer.create().creatingParentsIfNeeded().forPath("/curator/tree/a/b", bytes("2"));
            awaitEvents(events, "NODE_ADDED /curator/tree/a", "NODE_ADDED /curator/tree/a/b");
            writer.setData().forPath("/curator/tree/a/b", bytes("3"));
            awaitEvents(events, "NODE_UPDATED /curator/tree/a/b");
            check(Arrays.equals(cache.getCurrentData("/curator/tree/a/b").getData(), bytes("3")), "new data");
            check(cache.getCurrentChildren("/curator/tree").keySet().equals(Set.of("a", "old")), "children");
            writer.delete().deletingChildrenIfNeeded().forPath("/curator/tree/a");
            awaitEvents(events, "NODE_REMOVED /curator/tree/a/b", "NODE_REMOVED /curator/tree/a");
            check(cache.getCurrentData("/curator/tree/a/b") == null, "deleted");
            cache.close();
        }
        System.out.println("TreeCache: every change seen");
    }

    private static String describe(TreeCacheEvent event) {
        String path = event.getData() == null ? "" : " " + event.getData().getPath();
        return event.getType() + path;
    }

    private static void awaitEvents(BlockingQueue<String> events, String... expected) throws Exception {
        for (String wanted : expected) {
            String event = events.poll(TIMEOUT_S, TimeUnit.SECONDS);
            check(wanted.equals(event), "the event " + wanted + ", not " + event);
        }
    }

    private static CuratorFramework connect(String server) throws Exception {
        CuratorFramework client = CuratorFrameworkFactory.newClient(server, new RetryOneTime(100));
        client.start();
        check(client.blockUntilConnected(TIMEOUT_S, TimeUnit.SECONDS), "a connection to " + server);
        return client;
    }

    private static void await(String what, BooleanSupplier condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_S);
        while (!condition.getAsBoolean()) {
            check(System.nanoTime() < deadline, what);
            Thread.sleep(10);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes();
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("expected: " + what);
        }
    }
}
