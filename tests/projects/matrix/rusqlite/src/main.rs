fn main() {
    let db = rusqlite::Connection::open_in_memory().unwrap();
    db.execute_batch("CREATE TABLE t (n INTEGER, r REAL); INSERT INTO t VALUES (40, 0.5), (2, 1.5);")
        .unwrap();
    let (n, r): (i64, f64) = db
        .query_row("SELECT sum(n), sum(r) FROM t", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!((n, r), (42, 2.0));
    println!("rusqlite ok");
}
