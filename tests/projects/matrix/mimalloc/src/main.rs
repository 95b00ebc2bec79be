#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut all = Vec::new();
    for i in 0..1000 {
        all.push(vec![i as u8; i * 7]);
    }
    assert_eq!(all.iter().map(Vec::len).sum::<usize>(), 7 * 999 * 500);
    println!("mimalloc ok");
}
