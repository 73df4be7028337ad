use super::{Desk, Items, count};
use crate::client::Client;
use std::net::SocketAddr;
use std::sync::Arc;
use zooid_node::ConnId;

#[tokio::test]
async fn a_client_lies_on_its_desk_once_until_it_is_taken_up() {
    let desk = Arc::new(Desk::default());
    let remote = SocketAddr::from(([127, 0, 0, 1], 40_000));
    let clients = [1, 2].map(|id| Arc::new(Client::new(ConnId(id), remote, Arc::clone(&desk))));
    for client in clients.iter().chain(&clients) {
        Arc::clone(client).answer_at_desk();
    }
    desk.filled.notified().await;
    let Items { to_answer, .. } = std::mem::take(&mut *desk.items.lock());
    assert_eq!(to_answer.iter().map(|c| c.id.0).collect::<Vec<_>>(), [1, 2]);
    to_answer[0].leave_desk();
    for client in &clients {
        Arc::clone(client).answer_at_desk();
    }
    desk.filled.notified().await;
    assert_eq!(desk.items.lock().to_answer.len(), 1);
}

#[test]
fn as_many_threads_as_are_asked_for_or_as_there_are_processors_to_spare() {
    let by_processors = [1, 2, 3, 4, 16].map(|processors| count(None, processors));
    assert_eq!(by_processors, [0, 0, 2, 3, 15]);
    let asked = [0, 1, 4, 64].map(|asked| count(Some(asked), 4));
    assert_eq!(
        asked,
        [0, 1, 4, 4],
        "more than processors make nothing faster"
    );
}
