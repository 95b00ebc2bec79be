use ring::{digest, rand::SystemRandom, signature};
use signature::KeyPair as _;

fn main() {
    let sha = digest::digest(&digest::SHA256, b"abc");
    assert_eq!(sha.as_ref()[..4], [0xba, 0x78, 0x16, 0xbf]);
    let key = signature::Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let key = signature::Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap();
    let signed = key.sign(b"text");
    signature::UnparsedPublicKey::new(&signature::ED25519, key.public_key().as_ref())
        .verify(b"text", signed.as_ref())
        .unwrap();
    println!("ring ok");
}
