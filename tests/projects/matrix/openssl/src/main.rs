fn main() {
    let sha = openssl::sha::sha256(b"abc");
    assert_eq!(sha[..4], [0xba, 0x78, 0x16, 0xbf]);
    let key = openssl::pkey::PKey::generate_ed25519().unwrap();
    let mut signer = openssl::sign::Signer::new_without_digest(&key).unwrap();
    assert_eq!(signer.sign_oneshot_to_vec(b"text").unwrap().len(), 64);
    openssl::ssl::SslConnector::builder(openssl::ssl::SslMethod::tls()).unwrap();
    println!("openssl ok");
}
