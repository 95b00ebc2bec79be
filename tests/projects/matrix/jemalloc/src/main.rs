#[global_allocator]
static GLOBAL: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let mut all = Vec::new();
    for i in 0..1000 {
        all.push(vec![i as u8; i * 7]);
    }
    let moved = std::thread::spawn(move || all.iter().map(Vec::len).sum::<usize>());
    assert_eq!(moved.join().unwrap(), 7 * 999 * 500);
    println!("jemalloc ok");
}
