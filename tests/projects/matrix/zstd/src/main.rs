fn main() {
    let text = "to be compressed, ".repeat(200);
    let small = zstd::encode_all(text.as_bytes(), 19).unwrap();
    assert!(small.len() < text.len() / 10);
    assert_eq!(zstd::decode_all(&*small).unwrap(), text.as_bytes());
    println!("zstd ok");
}
