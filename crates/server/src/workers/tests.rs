use super::{Desk, Items};
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
