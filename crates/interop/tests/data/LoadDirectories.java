import java.io.File;
import org.apache.zookeeper.server.ZKDatabase;
import org.apache.zookeeper.server.persistence.FileTxnSnapLog;

/** Loads each data directory as a server does at its start, and prints what it found, one to a line. */
public class LoadDirectories {
    public static void main(String[] directories) {
        for (String directory : directories) {
            System.out.println(load(new File(directory)));
        }
    }

    private static String load(File directory) {
        try {
            FileTxnSnapLog files = new FileTxnSnapLog(directory, directory);
            ZKDatabase database = new ZKDatabase(files);
            long zxid = database.loadDataBase();
            long digest = database.getDataTree().getTreeDigest();
            files.close();
            return "loaded " + zxid + " " + digest;
        } catch (Exception failure) {
            return "failed " + failure.toString().replace('\n', ' ');
        }
    }
}
