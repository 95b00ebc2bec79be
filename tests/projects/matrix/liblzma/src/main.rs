use std::io::Read as _;

fn main() {
    let text = "to be compressed, ".repeat(200);
    let mut small = Vec::new();
    liblzma::read::XzEncoder::new(text.as_bytes(), 6).read_to_end(&mut small).unwrap();
    let mut back = String::new();
    liblzma::read::XzDecoder::new(&*small).read_to_string(&mut back).unwrap();
    assert!(small.len() < text.len() / 10 && back == text);
    println!("liblzma ok");
}
