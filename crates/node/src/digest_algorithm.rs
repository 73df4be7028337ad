//! The hash of the digest scheme (`zookeeper.DigestAuthenticationProvider.digestAlg`; Java
//! `MessageDigest`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};

/// Defines the algorithms by what Java calls them.
macro_rules! algorithms {
    ($($hash:ident: $name:literal $(| $alias:literal)*;)*) => {
        /// See the module.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum DigestAlgorithm {
            $(
                #[doc = $name]
                $hash,
            )*
            /// SHA-1, the default.
            #[default]
            Sha1,
        }

        impl DigestAlgorithm {
            /// The algorithms, by their first names.
            pub const NAMES: &'static [&'static str] = &["SHA1", $($name),*];

            /// The algorithm that Java knows under this name.
            #[must_use]
            pub fn from_java_name(name: &str) -> Option<DigestAlgorithm> {
                Some(match name.to_ascii_uppercase().as_str() {
                    "SHA1" | "SHA-1" | "SHA" => DigestAlgorithm::Sha1,
                    $($name $(| $alias)* => DigestAlgorithm::$hash,)*
                    _ => return None,
                })
            }

            /// The hash as text.
            pub(crate) fn base64(self, input: &[u8]) -> String {
                match self {
                    DigestAlgorithm::Sha1 => STANDARD.encode(Sha1::digest(input)),
                    $(DigestAlgorithm::$hash => STANDARD.encode($hash::digest(input)),)*
                }
            }
        }
    };
}

algorithms! {
    Sha224: "SHA-224" | "SHA224";
    Sha256: "SHA-256" | "SHA256";
    Sha384: "SHA-384" | "SHA384";
    Sha512: "SHA-512" | "SHA512";
    Sha512_224: "SHA-512/224" | "SHA512/224";
    Sha512_256: "SHA-512/256" | "SHA512/256";
    Sha3_224: "SHA3-224";
    Sha3_256: "SHA3-256";
    Sha3_384: "SHA3-384";
    Sha3_512: "SHA3-512";
    Md5: "MD5";
}

#[cfg(test)]
mod tests;
