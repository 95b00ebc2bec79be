use aws_lc_rs::{aead, digest};

fn main() {
    let sha = digest::digest(&digest::SHA256, b"abc");
    assert_eq!(sha.as_ref()[..4], [0xba, 0x78, 0x16, 0xbf]);
    let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_256_GCM, &[7; 32]).unwrap());
    let nonce = || aead::Nonce::assume_unique_for_key([1; 12]);
    let mut text = b"secret".to_vec();
    key.seal_in_place_append_tag(nonce(), aead::Aad::empty(), &mut text).unwrap();
    assert_eq!(key.open_in_place(nonce(), aead::Aad::empty(), &mut text).unwrap(), b"secret");
    println!("aws-lc-rs ok");
}
