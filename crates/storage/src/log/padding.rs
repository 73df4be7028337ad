//! Java's rule for lengthening a log file ahead of its content (`FilePadding`).

/// When fewer bytes than this are left, the file is lengthened.
const MARGIN: u64 = 4096;

/// The length a file should have before the next record is appended, where `position` bytes are
/// written and synced and the rule last said `size`. `step` 0 switches it off.
pub(super) fn padded_size(position: u64, size: u64, step: u64) -> u64 {
    if step == 0 || position + MARGIN < size {
        return size;
    }
    if position > size {
        let size = position + step;
        return size - size % step;
    }
    size + step
}

#[cfg(test)]
mod tests {
    use super::padded_size;
    use zooid_proto::FileHeader;

    const STEP: u64 = 64 << 20;

    #[test]
    fn sizes_are_those_that_java_computes() {
        let header = u64::try_from(FileHeader::LEN).unwrap();
        assert_eq!(padded_size(header, header, STEP), header + STEP);
        assert_eq!(padded_size(STEP - 4081, header + STEP, STEP), header + STEP);
        assert_eq!(
            padded_size(STEP - 4080, header + STEP, STEP),
            header + 2 * STEP
        );
        // A batch larger than the step: rounded down to a multiple.
        assert_eq!(padded_size(3 * STEP + 5, header + STEP, STEP), 4 * STEP);
        assert_eq!(padded_size(5, 9, 0), 9);
    }
}
