use super::*;

fn plain(char: char) -> Option<Command> {
    command(&KeyEvent::new(KeyCode::Char(char), KeyModifiers::NONE))
}

#[test]
fn digits_stand_for_servers() {
    assert_eq!(plain('1'), Some(Command::Toggle(MemberId(1))));
    assert_eq!(plain('9'), Some(Command::Toggle(MemberId(9))));
    assert_eq!(plain('0'), None);
}

#[test]
fn letters_stand_for_the_rest() {
    assert_eq!(plain('l'), Some(Command::KillLeader));
    assert_eq!(plain('q'), Some(Command::Stop));
    assert_eq!(plain('c'), None);
    assert_eq!(plain('x'), None);
}

#[test]
fn ctrl_c_stops_and_no_other_control_key_does_anything() {
    let control = |char| command(&KeyEvent::new(KeyCode::Char(char), KeyModifiers::CONTROL));
    assert_eq!(control('c'), Some(Command::Stop));
    assert_eq!(control('l'), None);
    assert_eq!(control('1'), None);
}
