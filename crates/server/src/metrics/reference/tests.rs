use super::*;
use expect_test::expect_file;

#[test]
fn the_page_in_docs_is_the_one_the_table_makes() {
    expect_file!["../../../../../docs/metrics.md"].assert_eq(&metrics_reference_page());
}
