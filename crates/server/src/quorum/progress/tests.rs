use super::{INTERVAL, Progress};
use crate::core_thread::CoreMessage;
use tokio::sync::mpsc;
use tokio::time::Instant;
use zooid_node::Input;
use zooid_zab::LinkId;

#[tokio::test]
async fn the_core_is_told_now_and_then() {
    let (core, mut inbox) = mpsc::channel(16);
    let mut progress = Progress::new(core, LinkId(5));
    progress.told = Instant::now() - INTERVAL;
    for _ in 0..3 {
        progress.made().await;
    }
    let told = inbox.try_recv();
    let Ok(CoreMessage::Inputs(inputs)) = told else {
        panic!("the core is told");
    };
    assert!(matches!(inputs[..], [Input::LinkProgress(LinkId(5))]));
    drop(progress);
    assert!(inbox.recv().await.is_none(), "once");
}
