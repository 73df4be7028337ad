use super::*;
use expect_test::expect_file;

#[test]
fn the_page_in_docs_is_made_from_the_table() {
    expect_file!["../../../../docs/configuration.md"].assert_eq(&reference_page());
}
