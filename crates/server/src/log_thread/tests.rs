use super::{Completion, LogProgress};
use tokio::sync::mpsc;
use zooid_node::Input;
use zooid_proto::{Epoch, Zxid};

fn persisted(generation: u64, upto: i64) -> Completion {
    Completion::Plain(Input::Persisted {
        generation,
        upto: Zxid(upto),
    })
}

fn text(completion: &Completion) -> String {
    match completion {
        Completion::Plain(Input::Persisted { generation, upto }) => format!("{generation}: {upto}"),
        Completion::Plain(Input::EpochEntered(epoch)) => format!("epoch {}", epoch.0),
        Completion::Plain(other) => format!("{other:?}"),
        Completion::Replaced { .. } => "another replica".to_owned(),
    }
}

#[test]
fn only_the_newest_of_several_watermarks_is_kept_and_the_order_of_everything_else() {
    let (core, mut inbox) = mpsc::channel(16);
    let progress = LogProgress::new(core);
    let entered = || Completion::Plain(Input::EpochEntered(Epoch(2)));
    for completion in [
        persisted(0, 1),
        persisted(0, 2),
        persisted(1, 1),
        entered(),
        persisted(1, 2),
        persisted(1, 3),
    ] {
        progress.report(completion);
        assert!(inbox.try_recv().is_ok(), "the core is told each time");
    }
    let taken: Vec<String> = std::iter::from_fn(|| progress.take())
        .map(|completion| text(&completion))
        .collect();
    assert_eq!(taken, ["0: 0x2", "1: 0x1", "epoch 2", "1: 0x3"]);
}
