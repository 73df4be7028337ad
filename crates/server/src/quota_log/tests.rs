use super::*;

fn exceeded(path: &str, used: i64) -> QuotaExceeded {
    QuotaExceeded {
        path: path.to_owned(),
        resource: Resource::Count,
        is_hard: false,
        used,
        limit: 10,
    }
}

#[test]
fn a_quota_is_mentioned_at_once_and_then_now_and_then() {
    let mut log = QuotaLog::default();
    let first = "Quota exceeded: /q [current count=11, softCountLimit=10]";
    assert_eq!(log.line(&exceeded("/q", 11), 5).as_deref(), Some(first));
    assert_eq!(log.line(&exceeded("/q", 12), 6), None);
    assert_eq!(log.line(&exceeded("/q", 13), 60_004), None);
    assert!(log.line(&exceeded("/other", 11), 60_004).is_some());
    let later = "Quota exceeded: /q [current count=14, softCountLimit=10] \
                 (2 times more since it was last said)";
    assert_eq!(
        log.line(&exceeded("/q", 14), 60_005).as_deref(),
        Some(later)
    );
    assert_eq!(log.line(&exceeded("/q", 15), 60_006), None);
}

#[test]
fn what_is_remembered_has_a_bound() {
    let mut log = QuotaLog::default();
    for number in 0..5000 {
        let path = format!("/{number}");
        assert!(log.line(&exceeded(&path, 11), 0).is_some());
    }
    assert!(log.mentioned.len() <= QUOTAS_MAX);
}
