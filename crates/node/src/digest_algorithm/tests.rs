use super::*;

/// Made with Java 17: `MessageDigest.getInstance(name).digest("super:admin")`, in base64.
const JAVA: &[(&str, &str)] = &[
    ("SHA1", "xQJmxLMiHGwaqBvst5y6rkB6HQs="),
    ("SHA-224", "TKEn5Y1mky3Uh6A7+bMh1TPJgKlkcRututL4gg=="),
    ("SHA-256", "wtZw1Um4mq1rRKbXqxHs8ueodBP35/JhtBP/nwJ62WY="),
    (
        "SHA-384",
        "AiQTwhiDeP3kDoiUQOML+I9miGA1gKrmc4a4kQiyxZuR/PE8jM/7K5jr7trT/Q8d",
    ),
    (
        "SHA-512",
        "ICbpgQLY7IUUeqcBGefDeb/WOl1Du5KoY5RX0+hDpW6UmhIeG6yfXhhCfQJHZChZeBdvUBXNvoumekY+NNKIPg==",
    ),
    ("SHA-512/224", "SMaFBFBNnPaXiL8X0xjo/P/POMVXbIIqkFxGmg=="),
    (
        "SHA-512/256",
        "QABeU55/SKMjm2TP7HSvKNTLdxDOOpOi8W/4V/8Kkss=",
    ),
    ("SHA3-224", "lQBR4+SBNfwCatzl7SI1BZjj79SPiQlvaNYdyA=="),
    ("SHA3-256", "n/RvsobH/8zZOcOjetd7nUc1fh+dZeopA1uboPolGDE="),
    (
        "SHA3-384",
        "n/1qY03X29x69kCFY+QusMs5JjBsIbsuO9GDSsEiJd988vo6s+XUL6fUu+xPCoyS",
    ),
    (
        "SHA3-512",
        "oqMHFOxcJdRIfsJaSRrLtjFjRGzBqKAig8eLLCwzc7HRwsfhOVcPeJpiHP86f9w2QDqDm6yl+5x5CsdwGrp2dw==",
    ),
    ("MD5", "vmvqb9Jqk1r+pQsU7OKtLQ=="),
];

#[test]
fn every_algorithm_makes_java_s_hash() {
    let made: Vec<(&str, String)> = DigestAlgorithm::NAMES
        .iter()
        .map(|name| {
            let algorithm = DigestAlgorithm::from_java_name(name).unwrap();
            (*name, algorithm.base64(b"super:admin"))
        })
        .collect();
    let java: Vec<(&str, String)> = JAVA
        .iter()
        .map(|(name, hash)| (*name, (*hash).to_owned()))
        .collect();
    assert_eq!(made, java);
}

#[test]
fn names_are_those_that_java_knows() {
    let named = DigestAlgorithm::from_java_name;
    for name in ["SHA", "sha", "SHA1", "SHA-1"] {
        assert_eq!(named(name), Some(DigestAlgorithm::Sha1), "{name}");
    }
    assert_eq!(named("sha256"), Some(DigestAlgorithm::Sha256));
    assert_eq!(named("sha3-256"), Some(DigestAlgorithm::Sha3_256));
    assert_eq!(named("SHA512/256"), Some(DigestAlgorithm::Sha512_256));
    for name in ["", "SHA3", "SHA-3-256", "SHA2", "bcrypt"] {
        assert_eq!(named(name), None, "{name}");
    }
}
