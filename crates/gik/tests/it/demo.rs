//! `gik demo`: the main job in one command.

use crate::desk::{Desk, files_below};

#[tokio::test]
async fn the_demo_builds_reads_and_draws() {
    let desk = Desk::new();
    let outcome = desk.gik("demo a/b").exits(0);
    for part in [
        "5 members × 9 steps × 2 variables, 85 references of 45 files",
        "tp (member 5, step 9, latitude 141, longitude 129)",
        "t2m (member 5, step 9, latitude 141, longitude 129)",
        "map: a/b/rainfall-24h.png",
        "3 members × 2 steps × 4 variables, 36 references of 2 files",
        "t (member 3, isobaricInhPa 14, latitude 141, longitude 129)",
        "icechunk.Repository.open(",
        "ds = xr.open_zarr(",
    ] {
        assert!(outcome.stdout.contains(part), "no {part:?} in\n{}", outcome.stdout);
    }
    // The Python lines must work from wherever they are run.
    let store = desk.path("a/b/store");
    assert!(outcome.stdout.contains(&format!("storage(\"{}\")", store.display())));
    assert_eq!(outcome.stderr, "");

    let png = std::fs::read(desk.path("a/b/rainfall-24h.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR") && png.ends_with(b"IEND\xaeB`\x82"));
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    let (width, height) = (number(16), number(20));
    assert!((400..4000).contains(&width) && (400..4000).contains(&height), "{width} × {height}");
    assert!(png.len() > 20_000);

    let opened = desk.open("a/b/store").await;
    assert_eq!(opened.chunk_count("tp").await.unwrap(), 40);
    assert_eq!(opened.chunk_count("t2m").await.unwrap(), 45);

    // Once more: the folder is not touched.
    let content = |desk: &Desk| {
        let folder = desk.path("a/b");
        files_below(&folder)
            .into_iter()
            .map(|name| (std::fs::read(folder.join(&name)).unwrap_or_default(), name))
            .collect::<Vec<_>>()
    };
    let before = content(&desk);
    desk.gik("demo a/b").exits(2).says(&["already exists", "gik demo FOLDER", "a/b"]);
    assert!(before == content(&desk));
}

#[test]
fn a_place_that_cannot_be_written_leaves_nothing() {
    let desk = Desk::new();
    std::fs::write(desk.path("file"), "x").unwrap();
    desk.gik("demo file/x").exits(1).says(&["cannot make the folder file/x", "Not a directory"]);
    assert_eq!(desk.files(), ["file"]);
}
